"""A list that lacks what was listed before: deleted by a person, disappeared, or the storage was set back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.load import (
    ANA,
    ANA_LID,
    BEN,
    CLUB,
    NOW,
    make_coverage,
    make_entry,
    make_message,
    make_plan,
    row_versions,
    rows,
)
from whatsapp_etl.model import Checkpoint, ContactFacts, MissingMessage, MissingReason
from whatsapp_etl.transform.rewinding import is_rewound

SINCE = NOW - timedelta(days=30)
LATER = NOW + timedelta(minutes=10)
CHATS = {ANA: ANA, BEN: BEN}
GONE = MissingReason.NO_LONGER_LISTED


def chat(who, numbers=range(1, 6), **changes):
    return [make_message(n, thread_external_id=who, sender_id=who, **changes) for n in numbers]


def stored(store, who, *messages, missing=(), run=1):
    """Store a chat as a cycle leaves it."""
    store.apply(
        make_plan(
            *messages,
            missing=missing,
            checkpoint=Checkpoint(messages[-1].external_id, messages[-1].ts),
            coverage=make_coverage(
                who,
                expected=len(messages),
                stored=len(messages),
                first_external_id=messages[0].external_id,
                last_external_id=messages[-1].external_id,
            ),
        ),
        run,
    )


def compare(store, *messages, now=LATER, run=2, chats=CHATS, since=SINCE, **changes):
    entries = [make_entry(message) for message in messages]
    return store.diff([entries], since, now, run, chats=chats, is_rewound=is_rewound, **changes)


def gaps(database):
    return dict(rows(database, "SELECT external_id, reason FROM missing_messages"))


def checkpoints(database):
    return rows(database, "SELECT count(*) FROM threads WHERE checkpoint_ts IS NOT NULL")[0][0]


@pytest.fixture
def two_chats(store):
    stored(store, ANA, *chat(ANA))
    stored(store, BEN, *chat(BEN))
    return store


@pytest.mark.parametrize("left", [range(1, 4), range(3, 6)], ids=["older profile", "linked again"])
def test_what_a_storage_that_was_set_back_lacks_is_a_gap_and_stays_stored(database, two_chats, left):
    before = row_versions(database)

    diff = compare(two_chats, *chat(ANA, left), *chat(BEN, left))

    assert (diff[ANA].expected, diff[ANA].stored, diff[ANA].wanted) == (3, 3, ())
    assert (diff[ANA].lost, diff[ANA].lost_unstored) == ({GONE: 2}, 0)
    lacking = [each.external_id for who in (ANA, BEN) for each in chat(who) if each not in chat(who, left)]
    assert gaps(database) == dict.fromkeys(lacking, "no_longer_listed")
    assert rows(database, "SELECT bool_and(is_stored) FROM coverage_gaps") == [(True,)]
    assert checkpoints(database) == 0
    assert row_versions(database)["messages"] == before["messages"]


def test_what_is_listed_again_is_no_gap_any_more(database, two_chats):
    compare(two_chats, *chat(ANA, range(1, 4)), *chat(BEN, range(1, 4)))

    diff = compare(two_chats, *chat(ANA), *chat(BEN, range(1, 4)), run=3)

    assert (diff[ANA].lost, diff[BEN].lost) == ({}, {GONE: 2})
    assert set(gaps(database).values()) == {"no_longer_listed"}
    assert len(gaps(database)) == 2


def test_what_was_never_stored_stays_known_and_is_wanted_when_it_comes_back(database, store):
    gap = MissingMessage(chat(ANA, [9])[0].external_id, MissingReason.NOT_REACHED, 3, NOW + timedelta(days=1))
    stored(store, ANA, *chat(ANA), missing=(gap,))
    stored(store, BEN, *chat(BEN))

    lost = compare(store, *chat(ANA, range(1, 4)), *chat(BEN, range(1, 4)))[ANA]
    assert (lost.lost, lost.lost_unstored) == ({GONE: 3}, 1)

    back = compare(store, *chat(ANA, [*range(1, 4), 9]), *chat(BEN, range(1, 4)), run=3)[ANA]
    assert (back.wanted, back.lost, back.lost_unstored) == ((gap.external_id,), {GONE: 2}, 0)


def test_gaps_that_are_listed_are_tried_again_at_once(database, store):
    gap = MissingMessage(chat(ANA, [3])[0].external_id, MissingReason.NEEDS_PHONE, 7, NOW + timedelta(days=7))
    stored(store, ANA, *chat(ANA, [1, 2, 4, 5]), missing=(gap,))
    stored(store, BEN, *chat(BEN))

    diff = compare(store, *chat(ANA, range(1, 4)), *chat(BEN, range(1, 4)))

    assert (diff[ANA].wanted, diff[ANA].deferred) == ((gap.external_id,), {})
    assert store.known_missing([gap.external_id])[gap.external_id].attempts == 0


def test_what_a_person_deleted_is_no_gap_and_nothing_is_distrusted(database, two_chats):
    before = row_versions(database)

    diff = compare(two_chats, *chat(ANA, range(1, 4)), *chat(BEN))

    assert diff[ANA].lost == {}
    assert gaps(database) == {}
    assert row_versions(database) == before


def test_what_whatsapp_let_disappear_and_is_kept_here_is_no_rewind_and_never_a_gap(database, two_chats):
    """With WHATSAPP_DISAPPEARING=keep nothing stored says that a message disappears; the chat does."""
    fleeting = frozenset({ANA, BEN})

    diff = compare(two_chats, *chat(ANA, [5]), *chat(BEN, [5]), fleeting=fleeting)
    assert (gaps(database), diff[ANA].lost, checkpoints(database)) == ({}, {}, 2)

    for who in (CLUB, "120363000000000002@g.us"):
        stored(two_chats, who, *chat(who))
    others = {who: who for who in (CLUB, "120363000000000002@g.us")}
    short = [each for who in others for each in chat(who, range(1, 4))]
    compare(two_chats, *chat(ANA, [5]), *short, chats={**CHATS, **others}, fleeting=fleeting, run=3)
    assert {key.split("_")[1] for key in gaps(database)} == set(others)


def test_chats_that_are_left_alone_now_prove_nothing(database, two_chats):
    stored(two_chats, CLUB, *chat(CLUB))

    compare(two_chats, *chat(ANA, range(1, 5)), chats={ANA: ANA})

    assert gaps(database) == {}


def test_a_chat_that_is_left_alone_now_gets_no_gap(database, two_chats):
    stored(two_chats, CLUB, *chat(CLUB))

    compare(two_chats, *chat(ANA, range(1, 4)), *chat(BEN, range(1, 4)))

    assert {key.split("_")[1] for key in gaps(database)} == {ANA, BEN}


def test_an_empty_list_was_not_read_yet(database, two_chats):
    compare(two_chats)

    assert gaps(database) == {}
    assert checkpoints(database) == 2


def test_a_chat_of_which_nothing_is_left_keeps_its_gaps_in_its_coverage(database, two_chats):
    stored(two_chats, CLUB, *chat(CLUB))

    compare(two_chats, *chat(CLUB), chats={**CHATS, CLUB: CLUB})

    coverage = "SELECT expected, stored, missing FROM sync_coverage WHERE thread_external_id = %s"
    assert rows(database, coverage, ANA) == [(0, 0, {"no_longer_listed": 5})]


def test_chats_that_change_their_ids_were_not_set_back(database, store):
    lids = {ANA: ANA_LID, BEN: "77000000000002@lid"}
    for who in lids:
        stored(store, who, *chat(who))
    people = [ContactFacts(lid, None, None, who) for who, lid in lids.items()]
    store.apply_directory([], people, [], [], run_id=2, now=NOW)
    renamed = [
        replace(
            each,
            external_id=each.external_id.replace(who, lid),
            thread_external_id=lid,
            sender_id=lid,
        )
        for who, lid in lids.items()
        for each in chat(who)
    ]
    chats = {**lids, **{lid: lid for lid in lids.values()}}

    diff = compare(store, *renamed, chats=chats)

    assert gaps(database) == {}
    assert checkpoints(database) == 2
    assert [(each.stored, each.lost) for each in diff.values()] == [(5, {}), (5, {})]
    store.record_coverage(
        [
            make_coverage(who, first_external_id=each.first_id, last_external_id=each.last_id)
            for who, each in diff.items()
        ],
        2,
    )
    # After that it is set back: the gaps are those of the chats as they are called now.
    short = [each for each in renamed if each.stanza_id in {one.stanza_id for one in chat(ANA, range(1, 4))}]
    assert {who: each.lost for who, each in compare(store, *short, chats=chats, run=3).items()} == {
        lid: {GONE: 2} for lid in lids.values()
    }


def test_gaps_end_with_the_lookback(database, two_chats):
    compare(two_chats, *chat(ANA, range(1, 4)), *chat(BEN, range(1, 4)))

    month_later = LATER + timedelta(days=31)
    new = make_message(1, thread_external_id=CLUB, ts=month_later)
    compare(two_chats, new, now=month_later, since=month_later - timedelta(days=30), run=3)

    assert gaps(database) == {}


def test_a_message_that_disappeared_before_it_was_stored_says_so(database, store):
    leaves_at = NOW + timedelta(minutes=5)
    missed = chat(ANA, [9])[0]
    gap = MissingMessage(missed.external_id, MissingReason.NOT_REACHED, 1, NOW, expires_at=leaves_at)
    stored(store, ANA, *chat(ANA), missing=(gap,))

    before = compare(store, *chat(ANA), replace(missed, expires_at=leaves_at), now=NOW)[ANA]
    after = compare(store, *chat(ANA), run=3)[ANA]
    again = compare(store, *chat(ANA), run=4)[ANA]

    assert (before.wanted, before.lost) == ((missed.external_id,), {})
    for each in (after, again):
        assert (each.lost, each.lost_unstored) == ({MissingReason.EXPIRED: 1}, 1)
    assert gaps(database) == {missed.external_id: "expired"}
