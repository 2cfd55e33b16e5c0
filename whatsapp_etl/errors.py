"""One tree of errors, divided by what happens next.

Every error says what happened, to which thing, and what to do. No message text, name or number
ever stands in one. `exit_code` is what the command line returns.
"""

from __future__ import annotations

from enum import StrEnum

from whatsapp_etl.store_records import StoreUnavailable


class Disposition(StrEnum):
    """What the run does after an error."""

    RETRY = "retry"  #: Try again with back-off; health is degraded meanwhile.
    SKIP = "skip"  #: Leave this chat or row, go on with the others.
    PERSON = "person"  #: Nothing helps but a person.
    FATAL = "fatal"  #: Stop the program.


class WhatsappEtlError(Exception):
    """Base of all errors of this program."""

    disposition = Disposition.FATAL
    exit_code = 1

    def __init__(self, what: str, remedy: str | None = None) -> None:
        super().__init__(f"{what} {remedy}" if remedy else what)
        self.what = what
        self.remedy = remedy


# --- fatal -----------------------------------------------------------------------------------


class ConfigurationError(WhatsappEtlError):
    """A setting is wrong; the message names the variable."""

    exit_code = 2


class ChatChoiceError(WhatsappEtlError):
    """A chat that was named is none in scope, or several; their ids are beside the message, never in it."""

    exit_code = 2

    def __init__(self, what: str, remedy: str | None = None, *, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(what, remedy)
        self.candidates = candidates


class UnknownRunError(WhatsappEtlError):
    """There is no cycle of that number; the message says which are kept."""

    exit_code = 2


class BrowserMissingError(WhatsappEtlError):
    """No Chromium was found."""

    exit_code = 3


class ProfileLockedError(WhatsappEtlError):
    """Another process owns the browser profile; the message names its pid and host."""

    exit_code = 4


class PackError(WhatsappEtlError):
    """A selector pack does not fit the schema."""

    exit_code = 2


class DatabaseUnreachableError(WhatsappEtlError):
    """Postgres does not answer."""

    disposition = Disposition.RETRY
    exit_code = 5


class DatabaseUnwritableError(DatabaseUnreachableError):
    """Postgres answers and takes no writes: its disk is full, or it is a standby."""


class SpoolFullError(WhatsappEtlError):
    """Postgres is away and no more chats can be kept for it, so none is read any more."""

    disposition = Disposition.RETRY
    exit_code = 5


class DatabaseRefusedError(WhatsappEtlError):
    """Postgres refused a statement; the message names its code, table and constraint, never a value."""

    exit_code = 5


class SchemaOutdatedError(WhatsappEtlError):
    """The database's schema is not the program's. Run `whatsapp-etl migrate`."""

    exit_code = 5


class WriterBusyError(WhatsappEtlError):
    """Another process is writing this account into this database."""

    disposition = Disposition.RETRY
    exit_code = 4


# --- the session store -----------------------------------------------------------------------


class VaultError(WhatsappEtlError):
    """The login could not be kept in or fetched from the session store; the profile is as it was."""

    disposition = Disposition.RETRY
    exit_code = 9


class VaultUnreachableError(VaultError):
    """The store does not answer, answers with a fault of its own, or too slowly."""


class VaultRefusedError(VaultError):
    """The store refuses: credentials, rights or a bucket that is not there."""

    disposition = Disposition.PERSON


class VaultKeyError(VaultError):
    """What is stored was sealed with another key."""

    disposition = Disposition.PERSON


class VaultMismatchError(VaultError):
    """What is stored does not fit: another account's, or of a newer Chromium. A person decides."""

    disposition = Disposition.PERSON


class AttachmentStoreError(WhatsappEtlError):
    """The second copies of attachments could not be made or read; the files themselves are as they were."""

    disposition = Disposition.RETRY
    exit_code = 9


class NoGenerationError(VaultError):
    """There is no generation to restore; the message says which are there."""

    disposition = Disposition.PERSON


class GenerationDamagedError(VaultError):
    """One generation is incomplete or was changed; the one before it is used."""

    disposition = Disposition.SKIP


class VaultUnfinishedError(VaultError):
    """The program had to end before the session was kept. What was written of it counts for nobody."""


class SessionTakenError(VaultError):
    """Another machine uses the session; the message names its host and pid."""

    exit_code = 4


# --- a person is needed ----------------------------------------------------------------------


class SessionNeedsPersonError(WhatsappEtlError):
    """The session waits for a person: a QR code, another window, terms, a wrong account."""

    disposition = Disposition.PERSON
    exit_code = 6


# --- retry -----------------------------------------------------------------------------------


class ExtractError(WhatsappEtlError):
    """The page could not be read."""

    disposition = Disposition.RETRY
    exit_code = 7


class ProfileUnwritableError(ExtractError):
    """The browser profile cannot be written: its disk is full, or its owner is another one."""


class PageTimeoutError(ExtractError):
    """Something did not appear before its deadline; the message names what was awaited."""


class PageRefusedError(ExtractError):
    """The server answered with an error instead of the page."""


class BrowserCrashedError(ExtractError):
    """Chromium ended or was ended because it did not answer."""


class BrowserHungError(BrowserCrashedError):
    """A page did not answer in time, so its browser was ended."""


class BrowserRestingError(ExtractError):
    """Chromium ended again and again, so it stays closed for a while."""


class PageScriptError(ExtractError):
    """The page refused a step, for example because it was navigating or a script failed in it."""


class ShieldError(ExtractError):
    """The focus shield does not hold, so nothing is opened: reading would send read receipts."""


class SelectorDriftError(ExtractError):
    """A required selector matched nothing on a page that is otherwise ready.

    WhatsApp Web has probably changed. Run `whatsapp-etl selectors check`, then add a pack.
    """


class UnknownDialogError(ExtractError):
    """A dialog that no pack knows covers the page: it is left alone, and nothing is read."""


class MetadataUnreadableError(ExtractError):
    """The browser's own storage is missing, locked or of an unknown shape.

    `part` is what was asked of it ("contacts"), `reason` why it was not answered ("missing_store").
    """

    def __init__(
        self, what: str, remedy: str | None = None, *, part: str = "unknown", reason: str = "unknown"
    ) -> None:
        super().__init__(what, remedy)
        self.part = part
        self.reason = reason


class StoreUnreadableError(ExtractError):
    """The page's own message store cannot be read, or not any more.

    The page is read instead, in the same cycle. WhatsApp Web changes its modules every two to three months.
    """

    def __init__(self, message: str, *, reason: StoreUnavailable, detail: str | None = None) -> None:
        super().__init__(message, "Nothing to do: what is missing is read from the page.")
        self.reason = reason
        self.detail = detail


class StopRequestedError(WhatsappEtlError):
    """The program was asked to stop; the current chat is rolled back or committed."""

    disposition = Disposition.FATAL
    exit_code = 0


# --- skip ------------------------------------------------------------------------------------


class ChatSkippedError(ExtractError):
    """One chat could not be read this time; the others go on."""

    disposition = Disposition.SKIP


class SpoolDamagedError(WhatsappEtlError):
    """A file of the spool is not whole, or not of this program's format; the others go on."""

    disposition = Disposition.SKIP


class MessageParseError(WhatsappEtlError):
    """A text on the page fits no known pattern."""

    disposition = Disposition.SKIP


#: Some chats could not be read; the others are stored.
EXIT_PARTIAL = 8


def is_session_taken(error: str | None) -> bool:
    """Whether a stored error, "ClassName: what happened", says that another machine uses the session."""
    return error is not None and error.startswith(f"{SessionTakenError.__name__}:")


def exit_code_of(error: str | None) -> int:
    """Return the exit code of a stored error, "ClassName: what happened"; 0 without one."""
    if error is None:
        return 0
    kind = globals().get(error.partition(":")[0])
    if isinstance(kind, type) and issubclass(kind, WhatsappEtlError):
        return kind.exit_code
    return WhatsappEtlError.exit_code
