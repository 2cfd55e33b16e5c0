"""Pages as files: what a person saved from the browser, and the redacted snapshots that the program keeps."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape

from selectolax.lexbor import LexborHTMLParser

from whatsapp_etl.model import SeenPage
from whatsapp_etl.transform.page_words import PageWords
from whatsapp_etl.transform.redact import redact_html

#: Stands at the head of a snapshot; without it a file is what somebody saved.
_MARK = "whatsapp-etl-snapshot"
_PLAIN = re.compile(r"[\w.+-]{1,40}")
#: What redaction makes of a clock and of a date; valid ones of the same form are put there to be read.
_CLOCK = re.compile(r"(?<!9)9?9([:.])99(?:\1(99))?(?!9)")
_DATE = re.compile(r"(?<!9)(9999([./-])99?\2 ?99?|99?([./-] ?)99?\3(?:9999|99))(?!9)")


def write_page(page: SeenPage, words: PageWords) -> str:
    """Return a page as a snapshot: nobody's words, names, numbers and times are in it."""
    facts = {"build": page.build, "language": page.language}
    told = "".join(
        f' data-{name}="{value}"' for name, value in facts.items() if value and _PLAIN.fullmatch(value)
    )
    taken_at = page.taken_at.isoformat(timespec="seconds") if page.taken_at else ""
    mark = f'<meta name="{_MARK}"{told} data-taken-at="{escape(taken_at)}">'
    return f"{mark}\n{redact_html(page.html, words)}\n"


def read_page(text: str) -> SeenPage:
    """Return what a file holds; of a snapshot with times that can be read, and are nobody's.

    Args:
        text: A whole page or a part of one.
    """
    document = LexborHTMLParser(text)
    mark = document.css_first(f'meta[name="{_MARK}"]')
    if mark is None:
        root = document.css_first("html[lang]")
        return SeenPage(html=text, language=(root.attributes["lang"] or None) if root else None)
    said = mark.attributes
    taken_at = said.get("data-taken-at")
    return SeenPage(
        html=_DATE.sub(_readable_date, _CLOCK.sub(_readable_clock, text)),
        language=said.get("data-language"),
        build=said.get("data-build"),
        taken_at=datetime.fromisoformat(taken_at) if taken_at else None,
        is_snapshot=True,
    )


def _readable_clock(match: re.Match[str]) -> str:
    hour = "9" if match[0].startswith(f"9{match[1]}") else "09"
    return f"{hour}{match[1]}09" + (f"{match[1]}09" if match[2] else "")


def _readable_date(match: re.Match[str]) -> str:
    """Return the ninth of September 2009, which has one meaning in every order of day and month."""
    parts = re.split(r"([./-] ?)", match[0])
    return "".join(part if part[:1] in "./-" else {1: "9", 2: "09", 4: "2009"}[len(part)] for part in parts)
