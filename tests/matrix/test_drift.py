"""Every name by which the page's parts are found is taken from the page in turn, and a whole cycle run.

The next rung serves and the rows are equal, or the loss is told: by an error that names the selector, by
rejects, by a chat that was not read, or by the fact that rows no longer show. Never fewer rows in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.fixtures.cycle import Account
from tests.fixtures.mutating import page_mutations
from tests.transform_values import packs
from whatsapp_etl.chat_memory import ChatMemory
from whatsapp_etl.extract.conversation import Patience
from whatsapp_etl.model import RunReport, RunStatus

#: Not asked while chats are read: screens before the chat list, and dialogs, have tests of their own.
_ELSEWHERE = {
    "splash", "qr_code", "qr_screen", "qr_reload", "link_code", "loading", "dialog", "dialog_button",
    "app_root", "row_list", "loading_bar", "phone_link", "phone_country", "phone_country_search",
    "phone_country_item", "phone_input", "phone_next", "link_code_expired", "link_code_renew",
}  # fmt: skip

#: A list that is not known need not be waited for as long as a real one.
READY_WITHIN = timedelta(seconds=10)
#: In `make test`: a part of a row.
_SAMPLE = {("read_more", "best")}

CELLS = [
    pytest.param(
        name,
        mutations,
        id=f"{name} {gone}",
        marks=() if (name, gone) in _SAMPLE else pytest.mark.matrix,
    )
    for name, gone, mutations in page_mutations(
        packs()["2026-08"], [each for each in packs()["2026-08"].selectors if each not in _ELSEWHERE]
    )
]


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell soon that something does not come: a drifted page never shows it."""
    patience = Patience(opening=timedelta(seconds=4), pictures=timedelta(seconds=2))
    monkeypatch.setattr("whatsapp_etl.extract.reader.Patience", lambda: patience)
    monkeypatch.setattr("whatsapp_etl.extract.session.SETTLE_ALLOWED", timedelta(seconds=2))
    monkeypatch.setattr("whatsapp_etl.extract.chat_list._DRAWN", timedelta(seconds=2))


def errors_of(logs: Sequence[Mapping[str, object]], report: RunReport) -> list[str]:
    """Return the texts of all errors of a cycle: the run's own and the chats'."""
    return [*(str(entry["error"]) for entry in logs if "error" in entry), *filter(None, [report.error])]


def is_named(name: str, errors: Sequence[str], report: RunReport) -> bool:
    """Whether the loss is told in a way that leads to the selector: by its name, or fact by fact."""
    return any(name in text for text in errors) or bool(report.lost_facts or report.rejects)


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize(("name", "mutations"), CELLS)
def test_what_the_page_no_longer_calls_so_costs_nothing_or_is_told(account, name, mutations):
    it: Account = account(world={"chats": 8, "messages": 120})
    it.source._options = replace(it.source._options, ready_within=READY_WITHIN)
    it.simulator.set_config(mutations=mutations)

    with capture_logs() as logs:
        report = it.sync()

    stored, truth = it.stored(), it.truth()
    is_equal = {key: row for key, row in stored.items() if row == truth.get(key)} == truth
    if not is_equal:
        errors = errors_of(logs, report)
        told = errors, dict(report.stop_reasons), report.lost_facts, report.rejects, report.missing
        assert report.status is not RunStatus.SUCCESS or report.missing or report.lost_facts, (name, told)
        assert is_named(name, errors, report), (name, told)
        # What is stored is right: missing, never wrong. Of a document nothing tells that it has a caption.
        wrong = {key: row for key, row in stored.items() if row != truth.get(key)}
        wrong = {key: row for key, row in wrong.items() if row["message_type"] != "document"}
        assert wrong == {}, (name, told)
        # And it comes once the page is understood again, as with a mended pack after a restart.
        it.simulator.set_config(mutations=[])
        it.source.close()
        it.cycle._memory = ChatMemory(it.cycle.clock)
        it.query("UPDATE missing_messages SET next_try_at = '2000-01-01' RETURNING 1")
        it.sync()
        result = it.judged()
        captions = {key for key, must, is_ in result.columns.get("content_snippet", ()) if is_ is None}
        assert result.is_equal or all(result.kinds[key] == "document" for key in captions), str(result)
