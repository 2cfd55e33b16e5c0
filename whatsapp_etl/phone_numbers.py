"""A phone number as people write it, taken apart for a form that asks for country and number. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import phonenumbers

from whatsapp_etl.errors import ConfigurationError

_HOW_TO_WRITE = "Write it with its country code, for example +49 1512 3456789."


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """The number of the account that is linked. Nothing of it is shown when it is printed."""

    country: str = field(
        repr=False
    )  #: In English, as lists of countries name it; "" where several share the code.
    calling_code: str = field(repr=False)  #: Digits, without plus.
    national: str = field(repr=False)  #: Digits, without what is dialled inside the country only.

    @property
    def digits(self) -> str:
        """The whole number."""
        return self.calling_code + self.national


def own_number(text: str) -> OwnNumber:
    """Return the number that somebody wrote, in any usual notation with its country code.

    "+49 1512 3456789", "0049-1512-3456789", "+49 (0) 1512/3456789" and "tel:+49-1512-3456789" are one number.

    Raises:
        ConfigurationError: It is no number that exists, or has no country code. The text is not repeated.
    """
    written = text.strip().removeprefix("tel:").strip()
    # Said to people of the country and of the others at once; it is dialled in neither way as a whole.
    written = re.sub(r"\(0\)", "", written)
    written = re.sub(r"^00", "+", written)
    if not written.startswith(("+", "\uff0b")):
        raise ConfigurationError("--phone: the country code is missing.", _HOW_TO_WRITE)
    # The names of all places take a fifth of a second to load, at each start of the program.
    from phonenumbers import geocoder  # noqa: PLC0415

    try:
        number = phonenumbers.parse(written)
    except phonenumbers.NumberParseException as error:
        raise ConfigurationError("--phone: that is no phone number.", _HOW_TO_WRITE) from error
    if not phonenumbers.is_valid_number(number):
        raise ConfigurationError("--phone: there is no such phone number.", _HOW_TO_WRITE)
    return OwnNumber(
        country=geocoder.country_name_for_number(number, "en"),
        calling_code=str(number.country_code),
        national=phonenumbers.national_significant_number(number),
    )
