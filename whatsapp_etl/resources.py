"""Where the data beside the code lies: in the repository, or inside the installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def data_folder(name: str) -> Path:
    """Return the folder `selectors` or `migrations`.

    A wheel carries them under `whatsapp_etl/_data/`; in a checkout they lie beside the package.
    """
    packed = _PACKAGE / "_data" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name
