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


#: Where one line has two numbers: with and without a digit that only mobile lines have. Calling code, the
#: digits before it, the digit, and how many follow.
_OPTIONAL_DIGITS = (("52", 0, "1", 10), ("54", 0, "9", 10), ("55", 2, "9", 8))


def numbers_of(text: str, own_digits: str) -> tuple[str, ...]:
    """Return the digits under which WhatsApp may know a number, the plainest first; none: it is no number.

    Args:
        text: In any usual notation; without a country code it is one of the account's own country.
        own_digits: The account's number, which tells that country.
    """
    written = text.strip().removeprefix("tel:")
    if any(character.isalpha() or character == "@" for character in written):
        return ()
    written = re.sub(r"\(0\)", "", written)
    try:
        own = phonenumbers.parse(f"+{own_digits}")
        region = phonenumbers.region_code_for_country_code(own.country_code or 0)
    except phonenumbers.NumberParseException:
        region = None
    # Two zeros stand for the plus in most countries and are dialled in none as a number.
    written = re.sub(r"^\s*00", "+", written)
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return ()
    spellings = _spellings(str(number.country_code), phonenumbers.national_significant_number(number))
    return spellings if any(map(_is_possible, spellings)) else ()


def _is_possible(digits: str) -> bool:
    return phonenumbers.is_possible_number(phonenumbers.parse(f"+{digits}"))


def people_ids(entry: str) -> tuple[str, ...]:
    """Return the ids that an entry of a list of people means: an id, or a number with its country code.

    Raises:
        ValueError: It is neither. The entry is not repeated.
    """
    if re.fullmatch(r"[0-9]+@(c\.us|lid)", entry.strip()):
        return (entry.strip(),)
    written = re.sub(r"^\s*00", "+", entry.strip())
    found = numbers_of(written, "") if written.startswith(("+", "\uff0b")) else ()
    if not found:
        msg = f"has an entry that is no phone number with its country code, and no id. {_HOW_TO_WRITE}"
        raise ValueError(msg)
    return tuple(f"{digits}@c.us" for digits in found)


def _spellings(calling_code: str, national: str) -> tuple[str, ...]:
    found = [calling_code + national]
    for code, before, digit, after in _OPTIONAL_DIGITS:
        if code != calling_code:
            continue
        head, rest = national[:before], national[before:]
        if len(rest) == after:
            found.append(f"{code}{head}{digit}{rest}")
        elif len(rest) == after + 1 and rest[0] == digit:
            found.append(f"{code}{head}{rest[1:]}")
    return tuple(found)
