"""What is read as a proposal, and what is refused with a reason that repeats nothing."""

import json
from uuid import UUID

import pytest

from whatsapp_etl.service.proposals import ProposalRefused, read_proposal

ID = "0b9c9a5e-6f0c-4a3f-9b51-2f5f1f3f7a10"
GOOD = {"answers": ID, "kind": "invoice.create", "payload": {"sum": 12.5, "note": "Küche 🫖"}}


def body(**changes):
    return json.dumps({**GOOD, **changes}).encode()


def test_a_proposal_is_read():
    proposal = read_proposal(body(), "key-1")

    assert (proposal.answers, proposal.kind, proposal.payload, proposal.key) == (
        UUID(ID),
        "invoice.create",
        GOOD["payload"],
        "key-1",
    )


def nested(depth):
    value = {}
    for _ in range(depth):
        value = {"a": [value]}
    return value


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b'{"payload": NaN}', "no JSON"),
        (body(payload={"a": "\ud800"}), "no JSON"),
        (json.dumps(GOOD).replace("12.5", "1e999").encode(), "no JSON"),
        (body(payload={"a": "x\x00y"}), "NUL"),
        (b"[]", "object with answers, kind, payload"),
        (b'{"kind": "a"}', "object with"),
        (body(extra=1), "no more"),
        (body(kind="Do it!"), "kind"),
        (body(kind=7), "kind"),
        (body(kind="k" * 101), "kind"),
        (body(payload=[1]), "payload"),
        (body(payload="text"), "payload"),
        (body(answers="7"), "answers"),
        (body(answers=None), "answers"),
        (body(payload=nested(20)), "within each other"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "within each other"),
    ],
)
def test_what_is_no_proposal_is_refused(given, why):
    with pytest.raises(ProposalRefused, match=why):
        read_proposal(given, "key-1")


@pytest.mark.parametrize("key", [None, "", "two words", "k" * 201, "ключ", "line\n"])
def test_without_a_usable_key_nothing_is_taken(key):
    with pytest.raises(ProposalRefused, match="Idempotency-Key"):
        read_proposal(body(), key)
