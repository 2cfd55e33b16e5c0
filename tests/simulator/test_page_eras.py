"""The page's releases: what each shows, and that a reload may bring another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.fixtures.page import ORDINARY_AGENT, Visit
from whatsapp_etl.simulator.options import PROFILES, SimulatorOptions
from whatsapp_etl.simulator.serve import RunningSimulator

CHATS = "#pane-side :is([role=row], [role=listitem])"
PACKED = ("y2024", "apr26")
WITH_SIDES = ("y2024", "apr26", "may26")


@pytest.fixture(scope="module")
def pages(shared_simulator: RunningSimulator, page_browser: Browser) -> Iterator[dict[str, Page]]:
    """One page of each release, with the same chat open."""
    contexts = []
    opened = {}
    shared_simulator.set_config(profile=",".join(PROFILES))
    try:
        for profile in PROFILES:
            context = page_browser.new_context(
                user_agent=ORDINARY_AGENT, viewport={"width": 1200, "height": 2500}
            )
            contexts.append(context)
            page = opened[profile] = context.new_page()
            page.goto(shared_simulator.url)
            page.locator(CHATS).filter(has_text="Allotment").click()
            page.wait_for_selector("#main [data-id] [data-pre-plain-text]")
        yield opened
    finally:
        shared_simulator.set_config(profile="aug26")
        for context in contexts:
            context.close()


@pytest.fixture(params=PROFILES)
def era(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def page(pages: dict[str, Page], era: str) -> Page:
    return pages[era]


def test_an_id_is_the_whole_key_until_april_2026_and_its_stanza_since(page: Page, era: str) -> None:
    ids = page.evaluate("[...document.querySelectorAll('#main [data-id]')].map(row => row.dataset.id)")
    assert ids
    assert {"@g.us_" in shown for shown in ids} == {era in PACKED}
    assert page.locator('[data-testid^="conv-msg-"]').count() == (0 if era in PACKED else len(ids))


def test_test_ids_are_dropped_as_the_releases_build_does(page: Page, era: str) -> None:
    assert (page.locator("[data-testid=msg-meta]").count() > 0) == (era not in PACKED)
    assert (page.locator("#main [data-testid=selectable-text]").count() > 0) == (era != "y2024")
    assert (page.locator("[data-testid=chat-list]").count() > 0) == (era not in PACKED)


def test_the_side_is_a_class_and_later_the_rows_alignment(page: Page, era: str) -> None:
    rows = page.locator(".focusable-list-item")
    assert (page.locator(".message-in.focusable-list-item").count() > 0) == (era in WITH_SIDES)
    assert (page.locator(".message-out.focusable-list-item").count() > 0) == (era in WITH_SIDES)
    sides = set(rows.evaluate_all("rows => rows.map(row => getComputedStyle(row).alignItems)"))
    assert (sides == {"normal"}) if era in WITH_SIDES else ({"flex-start", "flex-end", "center"} >= sides)
    assert (page.locator("._amk4").count() > 0) == (era in WITH_SIDES)


def test_own_bubbles_stand_on_the_other_side_in_every_release(page: Page) -> None:
    def left(css: str) -> float:
        box = page.locator(css).first.locator("xpath=ancestor::*[@data-id][1]//*[@data-pre-plain-text]").first
        return box.evaluate("node => node.getBoundingClientRect().left")

    own = left('[data-pre-plain-text*="] Robin Sample: "]')
    other = left('[data-pre-plain-text*="] Dario Castello: "]')
    assert own > other + 50


def test_texts_keep_the_classes_of_their_release(page: Page, era: str) -> None:
    text = page.locator("#main [data-pre-plain-text] span.copyable-text").first
    classes = (text.get_attribute("class") or "").split()
    assert "copyable-text" in classes
    assert ("selectable-text" in classes) == (era not in {"apr26", "may26"})


def test_the_list_counts_its_rows_unless_they_are_list_items(page: Page, era: str) -> None:
    grid = page.locator("#pane-side [role=grid]")
    assert (page.locator("#pane-side [role=listitem]").count() > 0) == (era == "y2024")
    assert (grid.get_attribute("aria-rowcount") is None) == (era == "y2024")
    heights = set(page.locator(CHATS).evaluate_all("rows => rows.map(row => row.style.height)"))
    assert heights == {"76px" if era in {"apr26", "may26"} else "72px"}
    tops = page.locator(CHATS).evaluate_all("rows => rows.map(row => row.getBoundingClientRect().top)")
    assert len(set(tops)) == len(tops)


def test_the_search_field_was_an_editable_element(page: Page, era: str) -> None:
    assert page.locator("#side [contenteditable=true][data-tab='3']").count() == (era == "y2024")
    assert page.locator("#side input[type=text][data-tab='3']").count() == (era != "y2024")


def test_icons_carry_their_names_in_attributes_until_late_2026(page: Page, era: str) -> None:
    assert (page.locator("#main [data-icon=msg-dblcheck]").count() > 0) == (era != "nov26")
    assert (page.locator('#main svg:has-text("wds-ic-read")').count() > 0) == (era == "nov26")
    assert page.locator("#main [data-icon^=tail-]").count() > 0
    assert (page.locator("[data-icon=default-user]").count() > 0) == (era == "y2024")


def test_a_query_typed_into_the_old_field_finds_and_the_cross_clears(pages: dict[str, Page]) -> None:
    page = pages["y2024"]
    page.locator("#side [contenteditable=true]").click()
    page.keyboard.type("Allotment")
    page.locator('[aria-label="Search results."]').wait_for(state="attached")
    page.locator('[aria-label="Cancel search"]').click()
    page.locator('[aria-label="Chat list"]').wait_for(state="attached")
    assert page.locator("#side [contenteditable=true]").inner_text().strip() == ""


def test_a_reload_brings_the_next_of_several_releases_and_keeps_the_storage(
    start_simulator: Callable[..., RunningSimulator], visit: Visit
) -> None:
    simulator = start_simulator(profile="aug26,apr26")
    page = visit(simulator.url)
    stored = "indexedDB.databases().then(all => all.map(({name, version}) => name + version).sort())"
    assert page.locator("[data-testid=chat-list]").count() == 1
    before = page.evaluate(stored)

    page.reload()

    page.wait_for_selector("#pane-side [role=row]")
    assert page.locator("[data-testid=chat-list]").count() == 0
    assert page.evaluate(stored) == before


def test_the_code_of_2024_is_labelled_as_it_was(
    start_simulator: Callable[..., RunningSimulator], visit: Visit
) -> None:
    simulator = start_simulator(linked=False, profile="y2024")
    page = visit(simulator.url, wait="[data-ref]")
    assert page.locator('canvas[aria-label="Scan me!"]').count() == 1
    assert page.locator("[data-testid=link-device-qr-code]").count() == 0


def test_a_release_that_does_not_exist_is_refused_by_name(simulator: RunningSimulator) -> None:
    with pytest.raises(ValueError, match="y2023"):
        SimulatorOptions(profile="aug26,y2023")
    answer = httpx.post(f"{simulator.url}/__sim/config", json={"profile": "y2023"}, trust_env=False)
    assert answer.status_code == 400
    assert "y2023" in answer.json()["error"]
