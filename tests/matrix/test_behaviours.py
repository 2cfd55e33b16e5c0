"""All that may go wrong on a page, singly and mixed: what can be had is stored, and no more is claimed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.matrix.choices import mixtures
from whatsapp_etl.model import RunStatus
from whatsapp_etl.simulator.behaviours import BEHAVIOURS

#: Only what the device has is listed in its storage; so long ago lies what only the phone has.
WORLD = {"chats": 12, "messages": 300, "phone_only_days": 20}
CYCLES = 4  #: What a cycle cannot finish the next ones do.
#: A page that does not come need not be waited for as long as a real one.
READY_WITHIN = timedelta(seconds=20)

HARMLESS = sorted(name for name, behaviour in BEHAVIOURS.items() if not behaviour.hinders)
HINDERING = sorted(BEHAVIOURS.keys() - set(HARMLESS))
_SAMPLE = mixtures(HARMLESS)[0]

SINGLY = [pytest.param((name,), id=name, marks=pytest.mark.matrix) for name in HARMLESS]
MIXED = [
    pytest.param(names, id=" + ".join(names), marks=() if names == _SAMPLE else pytest.mark.matrix)
    for names in mixtures(HARMLESS)
]


@pytest.fixture
def misbehaving(account):
    """Open an account on a page that behaves so, asking the phone where that is about the phone."""

    def opened(*names):
        asks = {"whatsapp_phone_history": "auto"} if any(name.startswith("phone") for name in names) else {}
        it = account(world=WORLD, **asks)
        it.source._options = replace(it.source._options, ready_within=READY_WITHIN)
        it.simulator.behave(*names)
        return it

    return opened


def nobody_noticed(it, unread_before):
    ledger = it.simulator.ledger()
    assert (ledger["receipts"], ledger["presence"]["available"]) == (0, 0)
    now = it.simulator.unread()
    assert {chat: count for chat, count in unread_before.items() if now.get(chat, 0) < count} == {}


def sync_until_quiet(it):
    """Run cycles until one has nothing to do; return the last report."""
    report = it.sync()
    for _ in range(CYCLES - 1):
        if report.status is RunStatus.SUCCESS and not report.applied.inserted:
            break
        report = it.sync()
    return report


@pytest.mark.parametrize("names", [*SINGLY, *MIXED])
def test_what_can_be_had_is_stored(misbehaving, names):
    it = misbehaving(*names)
    unread_before = it.simulator.unread()

    report = sync_until_quiet(it)

    result = it.judged("attainable")
    assert result.is_equal, str(result)
    assert report.rejects == 0
    unread = it.simulator.unread() if "chatter" in names or "late_decryption" in names else unread_before
    nobody_noticed(it, unread)

    it.simulator.behave()
    sync_until_quiet(it)
    after = it.judged("attainable")
    assert not after.surplus, str(after)
    assert not after.doubled, str(after)
    assert not after.columns, str(after)


@pytest.mark.matrix
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", HINDERING)
def test_what_cannot_be_had_is_told_and_nothing_wrong_is_stored(misbehaving, name):
    it = misbehaving(name)
    unread_before = it.simulator.unread()
    known = it.truth()

    report = it.sync()

    stored = it.stored()
    is_told = bool(report.error or report.missing or report.metadata_unreadable)
    assert is_told or stored.keys() == it.truth("attainable").keys() or name == "chat_deleted_while_open"
    assert stored.keys() <= known.keys()
    nobody_noticed(it, unread_before)

    it.simulator.behave()
    it.source.close()  # how a page keeps its storage is decided when it is loaded
    sync_until_quiet(it)
    after = it.judged("attainable")
    assert not after.absent, str(after)
    assert not after.doubled, str(after)
    assert not after.columns, str(after)
    # What a deleted chat held stays: absence is never a delete.
    assert name == "chat_deleted_while_open" or not after.surplus, str(after)
