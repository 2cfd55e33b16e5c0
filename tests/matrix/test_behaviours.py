"""All that may go wrong on a page, singly and mixed: what can be had is stored, and no more is claimed."""

from __future__ import annotations

import pytest

from tests.matrix.behaviours import BEHAVIOURS, settings_of, switch_on
from tests.matrix.choices import mixtures, page_options

#: Only what the device has is listed in its storage; so long ago lies what only the phone has.
WORLD = {"chats": 12, "messages": 300, "phone_only_days": 20}
CYCLES = 3  #: What a cycle cannot finish the next ones do.

NAMES = sorted(BEHAVIOURS)
_SAMPLE = mixtures(NAMES)[0]

SINGLY = [pytest.param((name,), id=name, marks=pytest.mark.matrix) for name in NAMES]
MIXED = [
    pytest.param(names, id=" + ".join(names), marks=() if names == _SAMPLE else pytest.mark.matrix)
    for names in mixtures(NAMES)
]


@pytest.mark.parametrize("names", [*SINGLY, *MIXED])
def test_what_can_be_had_is_stored(account, names):
    it = account(world={**WORLD, **page_options("aug26", "en-US")}, **settings_of(names))
    switch_on(it.simulator, names)
    unread_before = it.simulator.unread()

    reports = [it.sync()]
    while len(reports) < CYCLES and (reports[-1].error or reports[-1].applied.inserted):
        reports.append(it.sync())

    result = it.judged("attainable")
    assert result.is_equal, str(result)
    assert reports[-1].rejects == 0
    ledger = it.simulator.ledger()
    assert (ledger["receipts"], ledger["presence"]["available"]) == (0, 0)
    assert it.simulator.unread() == unread_before


@pytest.mark.matrix
@pytest.mark.xfail(reason="A chat whose device holds only the newest weeks is taken for whole.", strict=True)
def test_a_chat_of_which_only_the_phone_has_more_is_not_called_complete(account):
    it = account(world={**WORLD, **page_options("aug26", "en-US")})
    it.sync()
    only_there = it.truth().keys() - it.truth("attainable").keys()
    assert only_there

    complete_until = dict(it.query("SELECT thread_external_id, complete_until FROM sync_coverage"))

    truth = it.truth()
    assert all(
        (until := complete_until[truth[key]["thread_external_id"]]) is None or until > truth[key]["ts"]
        for key in only_there
    )
