"""What must hold of the pure part for any value."""

from __future__ import annotations

import html as html_module
import re
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from tests.transform_values import (
    GROUP,
    NOW,
    OTHER,
    OWN,
    account,
    all_known,
    batch,
    context,
    facts,
    group_context,
    row,
)
from whatsapp_etl.model import Message, MessageKey, MessageType, MissingReason
from whatsapp_etl.transform.identity import normalise_id, parse_key, shown_stanza_id
from whatsapp_etl.transform.joining import FactsIndex
from whatsapp_etl.transform.messages import to_message
from whatsapp_etl.transform.plan import plan_load
from whatsapp_etl.transform.redact import redact_html, redact_text
from whatsapp_etl.transform.text import clean, render

stanza_ids = st.text("0123456789ABCDEF", min_size=16, max_size=32)
users = st.integers(10**9, 10**14).map(str)
people = st.builds(lambda user, server: f"{user}@{server}", users, st.sampled_from(["c.us", "lid"]))
chats = (
    people | users.map(lambda user: f"120363{user}@g.us") | users.map(lambda user: f"{user}-1600000000@g.us")
)
keys = st.builds(MessageKey, st.booleans(), chats, stanza_ids, people | st.none())
texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=60)
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"]
)


@given(keys)
def test_a_key_written_and_read_is_the_same(key):
    assert parse_key(str(key)) == key


@given(keys, st.integers(0, 99), st.sampled_from(["", "_in", "_out"]))
def test_devices_servers_and_directions_do_not_change_a_key(key, device, direction):
    chat = key.chat_id.replace("@c.us", f":{device}@s.whatsapp.net")
    person = f"_{key.participant_id.replace('@', f':{device}@')}" if key.participant_id else ""

    written = f"{str(key.is_outgoing).lower()}_{chat}_{key.stanza_id}{direction}{person}"

    assert parse_key(written) == key


@given(st.text())
def test_normalising_an_id_twice_changes_nothing_more(text):
    assert normalise_id(normalise_id(text)) in {
        normalise_id(text),
        normalise_id(normalise_id(normalise_id(text))),
    }


@given(stanza_ids, st.booleans(), st.sampled_from([OTHER, "777@lid"]))
def test_packed_and_bare_ids_give_the_same_external_id(stanza_id, is_outgoing, participant):
    key = MessageKey(is_outgoing, GROUP, stanza_id, OWN if is_outgoing else participant)
    listed = facts(key=key)
    where = group_context()
    ids = set()
    for shown_id, shown_key in ((str(key), key), (stanza_id, None)):
        shown = row(shown_stanza_id(shown_id), key=shown_key, is_outgoing=is_outgoing)
        joined = FactsIndex([listed], account()).join(shown)[0]
        made = to_message(shown, joined.facts, where, NOW)
        assert isinstance(made, Message)
        ids.add(made.external_id)

    assert ids == {str(key)}


@given(texts)
def test_rendering_plain_text_changes_nothing_but_the_ends(text):
    whole = LexborHTMLParser(f"<main>{html_module.escape(text)}</main>").css_first("main")
    # A parser makes one line feed of every kind, and drops what no document may hold.
    plain = clean(text.replace("\r\n", "\n").replace("\r", "\n"))

    assert render(whole) == plain


markup = st.recursive(
    texts.map(html_module.escape),
    lambda inner: st.builds(
        lambda tag, name, value, parts: (
            f'<{tag} {name}="{html_module.escape(value)}">{"".join(parts)}</{tag}>'
        ),
        st.sampled_from(["div", "span", "b", "em"]),
        st.sampled_from(["title", "aria-label", "alt", "data-plain-text", "data-pre-plain-text"]),
        texts,
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


@given(markup)
def test_redacted_markup_has_the_same_structure_and_no_words(source):
    redacted = redact_html(source)

    assert _tags(redacted) == _tags(source)
    shown = [part for pair in re.findall(r'>([^<]*)|="([^"]*)"', f">{redacted}") for part in pair]
    # An entity written for a sign is not what somebody wrote.
    visible = html_module.unescape("".join(shown))
    assert all(character == "x" or not character.isalpha() for character in visible)
    assert all(character == "9" or not character.isdecimal() for character in visible)


def _tags(source):
    body = LexborHTMLParser(source).body
    return [node.tag for node in body.traverse()] if body else []


@given(texts)
def test_redacting_twice_changes_nothing_more(text):
    assert redact_text(redact_text(text)) == redact_text(text)
    assert len(redact_text(text)) == len(text)


messages = st.builds(
    lambda stanza_id, minute, kind, text, edited: (
        row(stanza_id, minute=minute, type=kind, text=text, is_edited=edited),
        facts(stanza_id, minute=minute, type=kind),
    ),
    stanza_ids,
    st.integers(0, 90),
    st.sampled_from(
        [MessageType.TEXT, MessageType.IMAGE, MessageType.VOICE, MessageType.DELETED, MessageType.SYSTEM]
    ),
    texts.map(clean),
    st.booleans(),
)


@given(st.lists(messages, max_size=8, unique_by=lambda pair: pair[0].stanza_id), st.integers(0, 8))
def test_the_same_visit_twice_writes_nothing_the_second_time(pairs, captured):
    rows = [shown for shown, _ in pairs[:captured]]
    listed = [each for _, each in pairs]
    first = plan_load(batch(), rows, listed, {}, context(), NOW)
    later = batch(observed_at=NOW + timedelta(minutes=10))

    again = plan_load(later, rows, listed, all_known(first.messages), context(), NOW)

    assert again.messages == ()
    assert again.versions == ()
    assert [each.external_id for each in again.missing] == [each.external_id for each in first.missing]


@given(st.lists(messages, max_size=8, unique_by=lambda pair: pair[0].stanza_id), st.integers(0, 8))
def test_every_listed_message_is_written_or_missing(pairs, captured):
    made = plan_load(
        batch(), [shown for shown, _ in pairs[:captured]], [each for _, each in pairs], {}, context(), NOW
    )

    written = {message.external_id for message in made.messages}
    pictures = {each.external_id for each in made.missing if each.reason is MissingReason.PICTURE_NOT_LOADED}
    missing = {each.external_id for each in made.missing} - pictures

    assert written | missing == {str(each.key) for _, each in pairs}
    assert not written & missing
    assert pictures == {each.external_id for each in made.messages if each.message_type is MessageType.IMAGE}
    assert made.coverage.stored + len(missing) == made.coverage.expected
    assert sum(made.coverage.missing.values()) == len(missing) + len(pictures)
