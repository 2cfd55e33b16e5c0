"""How a client's reading is compared with what was sent, and how the result is written down. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.talk import Sent

#: What a client can tell of a message.
FACTS = ("id", "direction", "sender", "time", "text")


@dataclass(frozen=True, slots=True)
class Read:
    """One message as a client told it; None: the client does not tell this fact."""

    id: str  #: As the client gives it: bare or packed.
    is_outgoing: bool | None = None
    sender: str | None = None
    time: str | None = None  #: ISO, to the minute, in the page's zone.
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """Of one kind of messages: how many were sent, and how many of them were told right, by fact."""

    sent: int
    right: Mapping[str, int]  #: By fact; facts that the client does not tell are left out.

    def cell(self, fact: str) -> str:
        return "-" if fact not in self.right else f"{self.right[fact]}/{self.sent}"


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Where a client must fail on this page as it would on the real one, and why."""

    fact: str
    fails: Callable[[Sent], bool]
    reason: str


def expected(sent: Sequence[Sent], shortfalls: Sequence[Shortfall], facts: Sequence[str]) -> dict[str, Score]:
    """Return the score that a client must reach: everything right but the shortfalls, and these wrong."""
    scores: dict[str, Score] = {}
    for kind in dict.fromkeys(each.kind for each in sent):
        group = [each for each in sent if each.kind == kind]
        right = {
            fact: sum(not any(s.fails(each) for s in shortfalls if s.fact in {fact, "id"}) for each in group)
            for fact in facts
        }
        scores[kind] = Score(len(group), right)
    return scores


def score(sent: Sequence[Sent], read: Sequence[Read]) -> dict[str, Score]:
    """Compare by id: a message read under another id, or twice, counts as not found."""
    by_id: dict[str, list[Read]] = {}
    for each in read:
        by_id.setdefault(stanza_of(each.id), []).append(each)
    told = {fact for each in read for fact in _facts_told(each)} | {"id"}
    scores: dict[str, Score] = {}
    for kind in dict.fromkeys(each.kind for each in sent):
        group = [each for each in sent if each.kind == kind]
        right = dict.fromkeys((fact for fact in FACTS if fact in told), 0)
        for each in group:
            found = by_id.get(each.stanza_id, [])
            if len(found) == 1:
                for fact in right:
                    right[fact] += _is_right(fact, each, found[0])
        scores[kind] = Score(len(group), right)
    return scores


def stanza_of(shown_id: str) -> str:
    """Return the message's own id of a packed or bare one."""
    parts = shown_id.split("_")
    return parts[2] if len(parts) > 2 else shown_id


def _facts_told(read: Read) -> set[str]:
    values = {"direction": read.is_outgoing, "sender": read.sender, "time": read.time, "text": read.text}
    return {name for name, value in values.items() if value is not None}


def _is_right(fact: str, sent: Sent, read: Read) -> bool:
    match fact:
        case "id":
            return True
        case "direction":
            return read.is_outgoing == sent.is_outgoing
        case "sender":
            return read.sender in ({sent.sender, "You"} if sent.is_outgoing else {sent.sender})
        case "time":
            return read.time == sent.at.replace(tzinfo=None).isoformat(timespec="minutes")
    return read.text == sent.text


def table(scores: Mapping[str, Score]) -> str:
    """Return a Markdown table: a row a kind, a column a fact."""
    lines = [f"| messages | sent | {' | '.join(FACTS)} |", "|---" * (len(FACTS) + 2) + "|"]
    lines += [
        f"| {kind} | {each.sent} | {' | '.join(each.cell(fact) for fact in FACTS)} |"
        for kind, each in scores.items()
    ]
    return "\n".join(lines)


def write_section(document: Path, name: str, text: str) -> None:
    """Put `text` between the document's marks of this name; everything else stays as it is."""
    begin, end = f"<!-- {name}: written by make conformance -->", f"<!-- {name}: end -->"
    whole = document.read_text(encoding="utf-8")
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    assert len(marked.findall(whole)) == 1, f"{document.name} has no section {name}"
    document.write_text(marked.sub(lambda _: f"{begin}\n{text.strip()}\n{end}", whole), encoding="utf-8")
