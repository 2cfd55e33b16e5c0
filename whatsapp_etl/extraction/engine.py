"""What an engine is, and how one is found by its name.

An engine is a package's entry point in the group `whatsapp_etl.engines`: a function that takes the options
behind the colon of EXTRACTION_ENGINE ("tesseract:deu+eng") and returns an `Engine`, or says what is
missing. It is asked at every start, so what takes time is done by the engine's `load`.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from PIL import Image

from whatsapp_etl.errors import ConfigurationError, WhatsappEtlError
from whatsapp_etl.extracted import EngineId, Reading

GROUP = "whatsapp_etl.engines"


class Engine(Protocol):
    """Reads text in pictures, on this machine. Used by one thread."""

    @property
    def id(self) -> EngineId:
        """Its name, version and settings; when one of them changes, pictures may be read again."""
        ...

    def load(self) -> None:
        """Make ready to read, which may take seconds; called once, before anything is read."""
        ...

    def read(self, picture: Image.Image) -> Reading:
        """Return the text in an upright RGB picture whose size was checked.

        Whatever it raises is a failed try of this picture alone.
        """
        ...


class EngineMissingError(ConfigurationError):
    """An engine, or something that it needs, is not installed; the message says how to install it."""


def find_engine(setting: str) -> Engine:
    """Return the engine of EXTRACTION_ENGINE, which is not loaded yet.

    Args:
        setting: Its name, with a colon and options of its own where it has some.

    Raises:
        EngineMissingError: There is none of this name, or it lacks something.
        ConfigurationError: Its options are wrong.
    """
    name, _, options = setting.partition(":")
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        raise EngineMissingError(
            f'EXTRACTION_ENGINE: there is no engine "{name}".',
            f"Take one of {', '.join(sorted(found))}, or install the package that brings it.",
        )
    return _made(found[name], options)


def _made(point: EntryPoint, options: str) -> Engine:
    try:
        engine: Engine = point.load()(options)
    except WhatsappEtlError:
        raise
    except ImportError as error:
        raise EngineMissingError(
            f"EXTRACTION_ENGINE: {point.name} needs the module {error.name}, which cannot be imported.",
            "Install what it needs.",
        ) from error
    return engine
