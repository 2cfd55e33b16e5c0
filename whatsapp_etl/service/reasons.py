"""Why health is not what it should be: stable codes, each with what happened and what to do.

The codes are part of the published interface (docs/health.md): alerts are written against them.
Add codes, never rename or reuse one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a reason does to the answer of /health."""

    DEGRADED = "degraded"  #: 503: something is wrong, or not known to be right.
    NOTICE = "notice"  #: 200: worth knowing; nothing has to be done at once.


class ReasonCode(StrEnum):
    """Stable identifiers of reasons."""

    SESSION_STARTING = "session_starting"
    SESSION_LINK_REQUIRED = "session_link_required"
    SESSION_PAIRING = "session_pairing"
    SESSION_PASSKEY_REQUIRED = "session_passkey_required"
    SESSION_LINK_RESTING = "session_link_resting"
    SESSION_LOGGED_OUT = "session_logged_out"
    SESSION_CONFLICT = "session_conflict"
    SESSION_OFFLINE = "session_offline"
    SESSION_UNSUPPORTED = "session_unsupported"
    SESSION_UPDATE_REQUIRED = "session_update_required"
    SESSION_TERMS = "session_terms"
    SESSION_LOCKED = "session_locked"
    SESSION_BANNED = "session_banned"
    SESSION_UNAVAILABLE = "session_unavailable"
    SESSION_WRONG_ACCOUNT = "session_wrong_account"
    SESSION_CRASHED = "session_crashed"
    SESSION_UNKNOWN = "session_unknown"
    SESSION_STALE = "session_stale"
    SYNC_NEVER = "sync_never"
    SYNC_STALE = "sync_stale"
    DATA_STALE = "data_stale"
    RUN_FAILED = "run_failed"
    RUN_PARTIAL = "run_partial"
    DRIFT = "drift"
    METADATA_UNREADABLE = "metadata_unreadable"
    BROWSER_CRASHED = "browser_crashed"
    BROWSER_RESTING = "browser_resting"
    BROWSER_MISSING = "browser_missing"
    PROFILE_LOCKED = "profile_locked"
    SESSION_TAKEN = "session_taken"
    SESSION_STORE = "session_store"
    SESSION_UNKEPT = "session_unkept"
    PROFILE_UNWRITABLE = "profile_unwritable"
    PAGE_TIMEOUT = "page_timeout"
    PAGE_REFUSED = "page_refused"
    DIALOG_UNKNOWN = "dialog_unknown"
    POSTGRES_DOWN = "postgres_down"
    POSTGRES_UNWRITABLE = "postgres_unwritable"
    SPOOL_WAITING = "spool_waiting"
    SPOOL_FULL = "spool_full"
    SPOOL_DAMAGED = "spool_damaged"
    SCHEMA_OUTDATED = "schema_outdated"
    WRITER_BUSY = "writer_busy"
    CHAT_UNIDENTIFIED = "chat_unidentified"
    CHAT_NOT_FOUND = "chat_not_found"
    SHIELD_ALARM = "shield_alarm"
    COVERAGE_SHORT = "coverage_short"
    COVERAGE_GAPS = "coverage_gaps"
    REJECTS_HIGH = "rejects_high"
    FACTS_LOST = "facts_lost"
    ATTACHMENTS_GIVEN_UP = "attachments_given_up"
    ATTACHMENTS_UNCOPIED = "attachments_uncopied"
    EXTRACTION_DEAD = "extraction_dead"
    EXTRACTION_IDLE = "extraction_idle"
    EVENTS_DEAD = "events_dead"
    EVENTS_STUCK = "events_stuck"
    AGENT_NOT_FOUND = "agent_not_found"
    AGENT_AMBIGUOUS = "agent_ambiguous"
    AGENT_DEAD = "agent_dead"
    AGENT_STUCK = "agent_stuck"
    DISAGREEMENTS_HIGH = "disagreements_high"
    STORAGE_REWOUND = "storage_rewound"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is wrong, in words for people, and what to do about it."""

    code: ReasonCode
    severity: Severity
    summary: str
    remedy: str


def _degraded(code: ReasonCode, summary: str, remedy: str) -> Reason:
    return Reason(code, Severity.DEGRADED, summary, remedy)


def _notice(code: ReasonCode, summary: str, remedy: str) -> Reason:
    return Reason(code, Severity.NOTICE, summary, remedy)


_ALL = (
    _degraded(
        ReasonCode.SESSION_STARTING,
        "WhatsApp Web has been loading for longer than it should.",
        "Check the network of this machine. The page is opened again in the next cycle.",
    ),
    _degraded(
        ReasonCode.SESSION_LINK_REQUIRED,
        "No account is linked.",
        "On the phone open WhatsApp, Settings, Linked devices, Link a device, and scan the QR code "
        "of the status page, or run `whatsapp-etl login`.",
    ),
    _degraded(
        ReasonCode.SESSION_PAIRING,
        "A pairing code is shown and has not been typed on the phone yet.",
        "On the phone open WhatsApp, Settings, Linked devices, Link a device, Link with phone number, and "
        "type the code. It is good for some minutes.",
    ),
    _degraded(
        ReasonCode.SESSION_PASSKEY_REQUIRED,
        "WhatsApp asks for the passkey of the account before it links this browser.",
        "Only a person at a visible browser can answer it: run `whatsapp-etl login` on a machine with a "
        "screen and the passkey at hand.",
    ),
    _degraded(
        ReasonCode.SESSION_LINK_RESTING,
        "No account is linked, and nobody scanned the QR codes. No more are shown until somebody asks.",
        "When the phone is at hand, ask for new codes with the button on the status page. Or run"
        " `whatsapp-etl login`, or restart the program.",
    ),
    _degraded(
        ReasonCode.SESSION_LOGGED_OUT,
        "The account was logged out of this browser.",
        "Scan the QR code again. If it was not you, look at Linked devices on the phone.",
    ),
    _degraded(
        ReasonCode.SESSION_CONFLICT,
        "WhatsApp Web is open in another window of the same session.",
        "Close the other window. Run only one program on one browser profile.",
    ),
    _degraded(
        ReasonCode.SESSION_OFFLINE,
        "WhatsApp Web says that it is not connected.",
        "Check the network of this machine. Nothing is lost: the next cycle catches up.",
    ),
    _degraded(
        ReasonCode.SESSION_UNSUPPORTED,
        "WhatsApp Web refuses this browser.",
        "Update Chromium, or point BROWSER_EXECUTABLE to a current Chromium or Chrome.",
    ),
    _degraded(
        ReasonCode.SESSION_UPDATE_REQUIRED,
        "WhatsApp Web asks for an update of the page or the browser.",
        "Restart the program. If it asks again, update Chromium.",
    ),
    _degraded(
        ReasonCode.SESSION_TERMS,
        "WhatsApp asks a person to accept new terms.",
        "Read and answer them in a visible browser: `whatsapp-etl login`.",
    ),
    _degraded(
        ReasonCode.SESSION_LOCKED,
        "WhatsApp Web is locked with its own password.",
        "Unlock it in a visible browser: `whatsapp-etl login`. Switch the screen lock off to run unattended.",
    ),
    _degraded(
        ReasonCode.SESSION_BANNED,
        "WhatsApp says that this account may not use WhatsApp at the moment.",
        "Stop the program and follow what the phone says.",
    ),
    _degraded(
        ReasonCode.SESSION_UNAVAILABLE,
        "WhatsApp Web says that its service is not available.",
        "Wait. The next cycle tries again.",
    ),
    _degraded(
        ReasonCode.SESSION_WRONG_ACCOUNT,
        "Another account is linked than the one this database belongs to. Nothing is read.",
        "Link the right account, or run `whatsapp-etl login --replace-account` if the change is meant.",
    ),
    _degraded(
        ReasonCode.SESSION_CRASHED,
        "The browser ended.",
        "It is started again in the next cycle. If it ends again and again, give the machine more memory "
        "and the container more shared memory (shm_size).",
    ),
    _degraded(
        ReasonCode.SESSION_UNKNOWN,
        "The page shows something that no selector pack knows.",
        "Run `whatsapp-etl selectors check`. WhatsApp Web has probably changed.",
    ),
    _degraded(
        ReasonCode.SESSION_STALE,
        "The session has not been looked at for too long.",
        "Restart the program. If this comes back, look at the log for the step that hangs.",
    ),
    _degraded(
        ReasonCode.SYNC_NEVER,
        "No cycle has succeeded yet.",
        "Wait for the first cycle. If it does not come, the other reasons say why.",
    ),
    _degraded(
        ReasonCode.SYNC_STALE,
        "The last successful cycle is too long ago.",
        "The other reasons and the log say what keeps the cycles from succeeding.",
    ),
    _degraded(
        ReasonCode.DATA_STALE,
        "The browser has known a message for long that is newer than everything stored.",
        "The table `missing_messages` says why it was not read. If it stays, run"
        " `whatsapp-etl selectors check`.",
    ),
    _degraded(
        ReasonCode.RUN_FAILED,
        "The last cycle failed.",
        "It is tried again with growing pauses. The log names the error.",
    ),
    _notice(
        ReasonCode.RUN_PARTIAL,
        "The last cycle could not read every chat; the others are stored.",
        "Nothing at once: what is missing is read again in the next cycles.",
    ),
    _degraded(
        ReasonCode.DRIFT,
        "Something that must be on the page was not found. WhatsApp Web has probably changed.",
        "Run `whatsapp-etl selectors check`, then update, or add a selector pack.",
    ),
    _degraded(
        ReasonCode.METADATA_UNREADABLE,
        "The browser's own storage, or a part of it, could not be read. Without its chats or messages the"
        " chat list decides instead.",
        "Nothing at once. If it stays, update: WhatsApp Web has probably changed.",
    ),
    _degraded(
        ReasonCode.BROWSER_CRASHED,
        "Chromium ended, or was ended because it did not answer.",
        "It is started again in the next cycle. If it stays, give the machine more memory.",
    ),
    _degraded(
        ReasonCode.BROWSER_RESTING,
        "Chromium ended again and again, so it stays closed for a while.",
        "It is started again by itself. Look at `whatsapp-etl session history` for the causes; give the "
        "machine more memory, or raise BROWSER_MAX_MEMORY_MB.",
    ),
    _degraded(
        ReasonCode.BROWSER_MISSING,
        "No Chromium was found.",
        "Run `playwright install chromium`, or set BROWSER_EXECUTABLE.",
    ),
    _degraded(
        ReasonCode.PROFILE_LOCKED,
        "Another process uses the browser profile.",
        "End the other process; the log names its pid and host.",
    ),
    _degraded(
        ReasonCode.SESSION_TAKEN,
        "Another machine uses the session; nothing is read here meanwhile.",
        "It goes on here when that one ends, or ten minutes after it was cut off; "
        "the log names its host and pid.",
    ),
    _degraded(
        ReasonCode.SESSION_STORE,
        "The session store does not answer, or what it holds cannot be used.",
        "The log says which. Check SESSION_STORE_URL, the key and the store's credentials; "
        "`whatsapp-etl session list` asks it.",
    ),
    _notice(
        ReasonCode.SESSION_UNKEPT,
        "The session could not be kept in its store; the generation before it still counts.",
        "It is tried again when the browser is renewed. The log entry session_not_kept says why.",
    ),
    _degraded(
        ReasonCode.PROFILE_UNWRITABLE,
        "The browser profile cannot be written.",
        "Free some space on the disk of WHATSAPP_PROFILE_DIR, or change the folder's owner.",
    ),
    _degraded(
        ReasonCode.PAGE_TIMEOUT,
        "Something did not appear on the page in time.",
        "It is tried again. If it stays, the machine is too busy or WhatsApp Web has changed.",
    ),
    _degraded(
        ReasonCode.PAGE_REFUSED,
        "The server of WhatsApp Web answered with an error instead of the page.",
        "It is tried again. If it stays, check that WHATSAPP_URL is right.",
    ),
    _degraded(
        ReasonCode.DIALOG_UNKNOWN,
        "A dialog that no selector pack knows covers WhatsApp Web. Nothing of it was pressed.",
        "The log names a blurred picture of it. Answer it in a visible browser: `whatsapp-etl login`.",
    ),
    _degraded(
        ReasonCode.POSTGRES_DOWN,
        "Postgres does not answer.",
        "Check PG_URL and the database server. Nothing is lost: the next cycle catches up.",
    ),
    _degraded(
        ReasonCode.POSTGRES_UNWRITABLE,
        "Postgres answers and takes no writes: its disk is full, or it is a read-only standby.",
        "The log says which. Free its disk, or let PG_URL name the primary. Nothing is lost.",
    ),
    _notice(
        ReasonCode.SPOOL_WAITING,
        "Chats that were read while Postgres was away wait on disk.",
        "Nothing at once: they are loaded first when Postgres is back.",
    ),
    _degraded(
        ReasonCode.SPOOL_FULL,
        "Postgres is away and no more chats can be kept for it, so none is read.",
        "Bring Postgres back. SPOOL_MAX_BYTES bounds what is kept; the disk of SPOOL_DIR may be full.",
    ),
    _notice(
        ReasonCode.SPOOL_DAMAGED,
        "A file of the spool could not be loaded and was set aside.",
        "Nothing at once: what it held is read from the page again. "
        "The log entry spool_file_set_aside says why.",
    ),
    _degraded(
        ReasonCode.SCHEMA_OUTDATED,
        "The database's schema is not the program's.",
        "Run `whatsapp-etl migrate`.",
    ),
    _degraded(
        ReasonCode.WRITER_BUSY,
        "Another process writes this account into this database.",
        "End the other process; one account has one writer.",
    ),
    _degraded(
        ReasonCode.CHAT_UNIDENTIFIED,
        "A chat was opened and the messages shown did not belong to the chat that was meant.",
        "Nothing of it was written. If it stays, run `whatsapp-etl selectors check`.",
    ),
    _degraded(
        ReasonCode.CHAT_NOT_FOUND,
        "A chat with new messages was not found in the chat list.",
        "It is looked for again in the next cycle; until then its messages count as missing. If it stays, "
        "WhatsApp Web has changed: run `whatsapp-etl selectors check`.",
    ),
    _degraded(
        ReasonCode.SHIELD_ALARM,
        "An unread count fell after a chat was opened here. Unread chats are not opened any more.",
        "Check on the phone whether a chat was marked as read, then run `whatsapp-etl shield acknowledge`. "
        "Until then unread chats are known by their metadata only.",
    ),
    _degraded(
        ReasonCode.COVERAGE_SHORT,
        "More messages of the look-back have been missing for long than are tolerated.",
        "The next cycles read them. If the number stays, the view `coverage_gaps` tells why.",
    ),
    _notice(
        ReasonCode.COVERAGE_GAPS,
        "Some messages of the look-back are missing for a known reason.",
        "What only the phone has appears once it is loaded there; WHATSAPP_PHONE_HISTORY=auto asks for it.",
    ),
    _degraded(
        ReasonCode.REJECTS_HIGH,
        "Many rows of the last cycle, or of the look-back, were not understood.",
        "Look at the table `rejects`, run `whatsapp-etl selectors check`, and update.",
    ),
    _degraded(
        ReasonCode.FACTS_LOST,
        "Message rows do not show something that the browser's own storage lists of them. "
        "WhatsApp Web has probably changed.",
        "The log entry facts_lost and the metric whatsapp_selector_hits (selectors listed_…) name it. "
        "Update, or add a selector pack.",
    ),
    _degraded(
        ReasonCode.DISAGREEMENTS_HIGH,
        "The browser's storage and the page often do not say the same of messages: which there are, when "
        "they were sent, or what was read before. What the storage lists, and the text read first, stays.",
        "The table `disagreements` names message and fact. Times alone: check WHATSAPP_TIMEZONE and "
        "WHATSAPP_LOCALE. Else run `whatsapp-etl selectors check`, and update.",
    ),
    _notice(
        ReasonCode.STORAGE_REWOUND,
        "The browser's storage was set back: it no longer lists messages of the look-back that it had listed "
        "before. What is stored of them stays.",
        "The view `coverage_gaps` names them (`no_longer_listed`). If an older profile was restored, link "
        "the account again, and the phone hands its history over; what arrived between and was not stored "
        "is on the phone only.",
    ),
    # Of what was given up a stranger's file can be the cause, so that degrades nothing.
    _notice(
        ReasonCode.ATTACHMENTS_GIVEN_UP,
        "A file could not be got in twelve tries and was given up. Its message is stored.",
        "`whatsapp-etl attachments status` tells the reasons. Mend them, then run "
        "`whatsapp-etl attachments retry`.",
    ),
    _degraded(
        ReasonCode.ATTACHMENTS_UNCOPIED,
        "No file was copied into the second store for a day, although some wait for it.",
        "The log entry files_not_copied says why; `whatsapp-etl attachments mirror` tries at once.",
    ),
    _notice(
        ReasonCode.EXTRACTION_DEAD,
        "A picture could not be read for its text in five tries and was given up. The picture is stored.",
        "`whatsapp-etl extract --status` tells the reasons. Mend them, then run "
        "`whatsapp-etl extract --once --dead`.",
    ),
    _degraded(
        ReasonCode.EXTRACTION_IDLE,
        "Pictures are due to be read for their text, and no worker has taken one for long.",
        "The log entry picture_worker_ended says why the worker beside `run` ended; start others with "
        "`whatsapp-etl extract --follow`.",
    ),
    _degraded(
        ReasonCode.EVENTS_DEAD,
        "An event could not be delivered to a webhook and was given up.",
        "`whatsapp-etl events list --dead` says why. Mend the receiver or EVENTS_WEBHOOKS, then run "
        "`whatsapp-etl events replay --dead`.",
    ),
    _degraded(
        ReasonCode.EVENTS_STUCK,
        "An event has not reached a webhook for long. It is tried again with growing pauses.",
        "`whatsapp-etl events list --pending` says why. Look at the receiver.",
    ),
    _degraded(
        ReasonCode.AGENT_NOT_FOUND,
        "No chat is known that WHATSAPP_AGENT_CONTACT and WHATSAPP_AGENT_THREAD_NAME name, so nothing is "
        "routed to the agent. Everything else is synced.",
        "`whatsapp-etl agent status` names what comes near. Save the contact, write in the group, or name "
        "the chat by number or id.",
    ),
    _degraded(
        ReasonCode.AGENT_AMBIGUOUS,
        "Several chats have the name of the agent's, so nothing is routed to the agent. Everything else is "
        "synced.",
        "`whatsapp-etl agent status` lists them. Name the chat by number or id in WHATSAPP_AGENT_CONTACT or "
        "WHATSAPP_AGENT_THREAD_NAME.",
    ),
    _degraded(
        ReasonCode.AGENT_DEAD,
        "A message could not be delivered to the agent's webhook and was given up.",
        "`whatsapp-etl agent list --dead` says why. Mend the receiver or WHATSAPP_AGENT_WEBHOOKS, then run "
        "`whatsapp-etl agent replay --dead`.",
    ),
    _degraded(
        ReasonCode.AGENT_STUCK,
        "A message has not reached the agent's webhook for long. It is tried again with growing pauses.",
        "`whatsapp-etl agent list --pending` says why. Look at the receiver.",
    ),
)

#: Every code has exactly one reason.
REASONS: Mapping[ReasonCode, Reason] = {reason.code: reason for reason in _ALL}
