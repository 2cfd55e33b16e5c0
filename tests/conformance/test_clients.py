"""Other people's clients on the stand-in: each reads what it reads on the real page, and nothing more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.conftest import CLIENTS, DOCUMENT, Ask
from tests.conformance.scores import Read, Shortfall, expected, score, table, write_section
from tests.conformance.talk import COUNT, GROUP, PERSON, talk_in_group, talk_with_person, with_names
from tests.conformance.tls import TlsRelay
from whatsapp_etl.simulator.page import open_server
from whatsapp_etl.simulator.serve import RunningSimulator

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

StandIn = Callable[..., tuple[RunningSimulator, TlsRelay]]

_PARTS = 7  #: Of the document, one a test.
#: A title that two chats of the small world share.
_SHARED_TITLE = "Alma Brisk"

_NO_HEAD = Shortfall(
    "time",
    lambda sent: sent.kind == "deleted",
    "A deleted message has no copied head, and whatsplay takes the time of reading for its time.",
)
_NO_CLASSES = Shortfall(
    "direction",
    lambda sent: sent.is_outgoing,
    "The classes by which camouchat knows own messages are gone since June 2026: all count as received.",
)
_QUOTE_FIRST = Shortfall(
    "text",
    lambda sent: sent.kind == "reply",
    "camouchat takes the first text of a bubble, which in a reply is the quoted one.",
)
_NO_EMOJI = Shortfall(
    "text",
    lambda sent: sent.kind == "emoji",
    "camouchat takes a node's text content; emoji are pictures and have none.",
)
_WHOLE_BUBBLE = Shortfall(
    "text",
    lambda sent: sent.kind == "deleted",
    "A deleted message has no text node, and camouchat takes everything that the bubble shows.",
)


class Report:
    """What the clients read, in the order of the tests; written into the document at the end."""

    def __init__(self) -> None:
        self.parts: dict[str, str] = {}

    def add(self, title: str, *lines: str) -> None:
        self.parts[title] = "\n\n".join(lines)

    def text(self) -> str:
        return "\n\n".join(f"### {title}\n\n{text}" for title, text in self.parts.items())


@pytest.fixture(scope="module")
def report():
    made = Report()
    yield made
    # A run of single tests must not throw the others' results away.
    if len(made.parts) == _PARTS:
        write_section(DOCUMENT, "clients", made.text())


@pytest.fixture(scope="module")
def page_to_link(stand_in: StandIn) -> tuple[RunningSimulator, TlsRelay]:
    simulator, relay = stand_in(linked=False)
    # The first code lives a minute, the last ones twenty seconds: here as many seconds as those have minutes.
    simulator.set_config(delays={"qr_ttl_scale": 0.1})
    return simulator, relay


def test_the_codes_that_whatsplay_and_wppconnect_see_are_the_ones_the_server_gave(
    page_to_link, ask: Ask, read_codes, report
):
    simulator, relay = page_to_link
    given = codes_given(simulator)

    scraped = ask("wppconnect", relay, waits_for_expiry=True)
    seen = ask("whatsplay", relay, wants="qr")
    images = [scraped["first"]["base64Image"], scraped["renewed"]["base64Image"]]
    *scraped_codes, shown = read_codes([*(image.partition(",")[2] for image in images), seen["qr"][0]])

    assert scraped["first"]["urlCode"] in given
    assert scraped["renewed"]["urlCode"] in given
    assert scraped_codes == [scraped["first"]["urlCode"], scraped["renewed"]["urlCode"]]
    assert scraped_codes[0] != scraped_codes[1]
    assert shown in given
    report.add(
        "QR code",
        f"{named('wppconnect')}: reads payload and picture, presses the button over an expired code and reads"
        f" the next one. {named('whatsplay')}: gets the picture. All pictures, read with an independent"
        " reader, say byte for byte what the server gave.",
    )


def test_camouchat_links_by_the_code_that_the_page_shows(page_to_link, ask: Ask, report):
    _, relay = page_to_link

    answer = ask("camouchat", relay, wants="code", number=4915550001, country="Germany")

    assert answer["sees_qr"]
    assert answer["linked"]
    assert len(answer["code"].split(",")) == 8
    assert answer["code"].replace(",", "") == answer["shown"].replace("\n", "").replace("-", "")
    report.add(
        "Link code",
        f"{named('camouchat')}: finds the canvas by its label, asks for a code, chooses a country, types a"
        " number, and gets the eight signs that the page shows.",
    )


@pytest.fixture(scope="module")
def whatsplay(stand_in: StandIn, ask: Ask):
    simulator, relay = stand_in(linked=True, locale="en-GB")
    simulator.set_config(hour12=False)
    person, group = talk_with_person(simulator), talk_in_group(simulator)
    unread = {
        chat["title"]: chat["unread"]
        for chat in simulator.world()["chats"]
        if chat["unread"] > 0 and not chat["archived"] and not chat["locked"]
    }
    own_name = simulator.world()["me"]["push_name"]
    answer = ask("whatsplay", relay, wants="chats", chats=[PERSON, GROUP, _SHARED_TITLE], own_name=own_name)
    return answer, person, group, unread, own_name


def test_whatsplay_lists_the_unread_chats(whatsplay, report):
    answer, _, _, unread, _ = whatsplay

    assert answer["errors"] == []
    assert {chat["name"]: int(chat["unread_count"]) for chat in answer["unread"]} == unread
    report.add(
        "whatsplay: chat list",
        f"{named('whatsplay')}: {len(unread)} of {len(unread)} unread chats, titles and counts.",
    )


def test_whatsplay_opens_a_chat_by_name_and_refuses_a_name_that_two_chats_share(whatsplay, report):
    opened = {name: chat["opened"] for name, chat in whatsplay[0]["chats"].items()}

    assert opened == {PERSON: True, GROUP: True, _SHARED_TITLE: False}
    report.add(
        "whatsplay: open a chat",
        "A person and a group are opened and verified by header and composer; a title that two chats share"
        " is refused.",
    )


def test_whatsplay_reads_every_message_of_a_chat_of_two_hundred_and_of_a_group(whatsplay, report):
    answer, person, group, _, own_name = whatsplay
    read = {name: reads(answer["chats"][name]["messages"]) for name in (PERSON, GROUP)}
    group = with_names(group, {each.id: each.sender for each in read[GROUP]}, own_name)
    facts = ("id", "direction", "sender", "time", "text")

    scores = {**score(person, read[PERSON]), **score(group, read[GROUP])}

    report.add(
        "whatsplay: messages",
        f"A chat of {COUNT} messages and a group of {len(group)}; the page in en-GB with 24 hours, the only"
        " form of dates that whatsplay reads. Ids, directions, senders and times come from the page; texts"
        " from the messages that the page has in memory, which whatsplay prefers to the page.",
        table(scores),
        f"- {_NO_HEAD.reason}",
    )
    assert len(person) == COUNT
    assert scores == {**expected(person, [_NO_HEAD], facts), **expected(group, [], facts)}


@pytest.mark.parametrize("release", ["aug26", "apr26"])
def test_camouchat_finds_on_each_page_what_it_finds_on_the_real_one(
    release, stand_in: StandIn, ask: Ask, report
):
    # It was written for the page of spring; the other one is half a year younger.
    is_own_era = release == "apr26"
    simulator, relay = stand_in(linked=True, profile=release)
    person = talk_with_person(simulator)
    listed = [
        chat
        for chat in simulator.world()["chats"]
        if not chat["archived"] and not chat["locked"] and chat["kind"] not in {"status", "channel"}
    ]

    answer = ask("camouchat", relay, wants="chats", chat=PERSON)

    mounted = {each["id"] for each in answer["messages"]}
    shown = [each for each in person if {each.stanza_id, each.external_id} & mounted]
    shortfalls = [_QUOTE_FIRST, _NO_EMOJI, _WHOLE_BUBBLE, *([] if is_own_era else [_NO_CLASSES])]
    scores = score(shown, reads(answer["messages"]))
    report.add(
        f"camouchat on {release}",
        f"{named('camouchat')}: {answer['total']} chats by aria-rowcount, {len(answer['names'])} titles,"
        f" {sum(answer['filters'])} of 3 filters, search box {found(answer['search_box'])}, composer"
        f" {found(answer['message_box'])}. It does not scroll: what is compared is what one sees on opening.",
        table(scores),
        "\n".join(f"- {each.reason}" for each in shortfalls),
    )
    assert answer["total"] == len(listed)
    assert sorted(answer["names"]) == sorted(chat["title"] for chat in listed)
    assert answer["filters"] == [1, 1, 1]
    assert answer["new_chat"] == answer["message_box"] == 1
    # The search box lost the name by which camouchat knows it when it became an input, before April.
    assert answer["search_box"] == 0
    assert len(shown) > 40
    assert scores == expected(shown, shortfalls, ("id", "direction", "text"))
    counts = (answer["incoming"], answer["outgoing"])
    own = sum(each.is_outgoing for each in shown)
    assert counts == ((len(shown) - own, own) if is_own_era else (0, 0))


def codes_given(simulator: RunningSimulator) -> set[str]:
    """The payloads that this server gives the first pages that ask: they depend on its options alone."""
    twin = open_server(simulator.options)
    return {ref for _ in range(8) for ref in twin._qr()["refs"]}


def reads(messages: list[dict[str, object]]) -> list[Read]:
    return [
        Read(each["id"], each["is_outgoing"], each.get("sender"), each.get("time"), each["text"])
        for each in messages
    ]


def named(client: str) -> str:
    """Return the client's package and version, as they are pinned."""
    packages = {
        "whatsplay": "whatsplay",
        "camouchat": "camouchat-whatsapp",
        "wppconnect": "@wppconnect-team/wppconnect",
    }
    lines = (CLIENTS / f"{client}.txt").read_text().split()
    return next(
        f"`{packages[client]}` {line.removeprefix(packages[client]).lstrip('@=')}"
        for line in lines
        if line.startswith(packages[client])
    )


def found(count: int) -> str:
    return "found" if count else "not found"
