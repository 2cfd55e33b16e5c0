"""Behaviours: each can be switched on and off, and nothing of it stays behind."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fixtures.page import Visit
from tests.simulator.conversation_page import row
from whatsapp_etl.simulator.behaviours import BEHAVIOURS
from whatsapp_etl.simulator.moving import migrate_chat
from whatsapp_etl.simulator.options import SimulatorOptions
from whatsapp_etl.simulator.page import open_server
from whatsapp_etl.simulator.serve import RunningSimulator


def stored_config(simulator: RunningSimulator) -> dict[str, Any]:
    return simulator.set_config()


def test_every_behaviour_changes_something_and_leaves_no_trace(simulator: RunningSimulator) -> None:
    plain = stored_config(simulator)
    for name, behaviour in BEHAVIOURS.items():
        simulator.behave(name)
        acts = behaviour.begin or behaviour.on_open or behaviour.unlinks or behaviour.dialog != "none"
        assert stored_config(simulator) != plain or acts, name
        assert (simulator.world()["dialog"] != "none") == (behaviour.dialog != "none")
        simulator.behave()
        assert stored_config(simulator) == plain, name
        assert simulator.world()["dialog"] == "none"


def test_several_behaviours_are_on_together_and_end_one_by_one(simulator: RunningSimulator) -> None:
    simulator.behave("slow_page", "rows_late", "no_fiber")
    together = stored_config(simulator)
    assert together["delays"]["hydrate_ms"] == 900
    assert together["delays"]["boot_ms"] > 0
    assert together["fiber"] is False

    simulator.behave("no_fiber")

    assert stored_config(simulator)["delays"]["boot_ms"] == 0
    assert stored_config(simulator)["fiber"] is False


def test_one_that_does_not_exist_is_refused_with_the_names_that_do(simulator: RunningSimulator) -> None:
    answer = httpx.post(f"{simulator.url}/__sim/behaviours", json={"on": ["sulking"]}, trust_env=False)
    assert answer.status_code == 400
    assert "sulking" in answer.json()["error"]
    assert "slow_page" in answer.json()["error"]
    with pytest.raises(ValueError, match="sulking"):
        open_server(SimulatorOptions(chats=1, messages=1, behaviours=("sulking",)))


def test_a_message_that_waits_is_decrypted_when_that_ends(simulator: RunningSimulator) -> None:
    simulator.behave("late_decryption")
    waiting = {each["external_id"] for each in simulator.truth() if each["message_type"] == "waiting"}
    simulator.behave()
    texts = {each["external_id"]: each["content_snippet"] for each in simulator.truth()}
    assert sum((texts[key] or "").startswith("It came at last") for key in waiting) == 3


def test_a_load_that_fails_is_answered_as_said_and_the_third_succeeds(simulator: RunningSimulator) -> None:
    simulator.behave("load_fails")
    agent = {"User-Agent": "Chrome/156.0.0.0"}
    answers = [httpx.get(simulator.url, headers=agent, trust_env=False).status_code for _ in range(3)]
    assert answers == [503, 503, 200]


def test_a_row_that_never_gets_its_body_stays_empty_and_is_not_attainable(
    simulator: RunningSimulator, visit: Visit
) -> None:
    simulator.behave("rows_without_body")
    perfect = {each["external_id"] for each in simulator.truth()}
    missing = perfect - {each["external_id"] for each in simulator.truth(view="attainable")}
    bodiless = set(stored_config(simulator)["bodiless"])
    without = [key for key in missing if key.split("_")[2] in bodiless]
    assert len(without) == 3
    chat = simulator.add_chat(name="Ada Kind")
    shown, hidden = simulator.add_message(chat, "Here"), simulator.add_message(chat, "Not here")
    simulator.set_config(bodiless=[hidden.split("_")[2]])

    page = visit(simulator.url)
    page.locator('#pane-side span[title="Ada Kind"]').click()

    row(page, shown).locator('[data-virtualized="false"]').wait_for()
    assert row(page, hidden).locator('[data-virtualized="true"]').count() == 1


def test_a_chat_that_is_deleted_while_open_leaves_the_intro(
    simulator: RunningSimulator, visit: Visit
) -> None:
    simulator.behave("chat_deleted_while_open")
    page = visit(simulator.url)
    rows = page.locator("#pane-side [role=row]")
    before = rows.count()
    rows.nth(0).click()
    page.wait_for_selector("#main")
    rows.nth(1).click()
    page.wait_for_function(
        "count => document.querySelectorAll('#pane-side [role=row]').length < count", arg=before
    )
    page.wait_for_selector("#main", state="detached")


def test_a_hidden_window_says_so_and_draws_the_last_message_only(
    simulator: RunningSimulator, visit: Visit
) -> None:
    simulator.behave("tab_hidden")
    page = visit(simulator.url)
    assert page.evaluate("document.visibilityState") == "hidden"
    page.locator("#pane-side [role=row]").nth(1).click()
    page.wait_for_selector("#main [data-id]")
    assert page.locator("#main [data-id]").count() == 1
    simulator.behave()
    page.wait_for_function("() => document.visibilityState === 'visible'")


def test_what_the_last_visit_left_is_still_there(simulator: RunningSimulator, visit: Visit) -> None:
    simulator.behave("left_over_search")
    page = visit(simulator.url)
    page.locator('[aria-label="Search results."]').wait_for(state="attached")
    simulator.behave("left_over_filter")
    page.reload()
    page.locator('#unread-filter[aria-selected="true"]').wait_for()
    simulator.behave("left_over_drawer")
    page.reload()
    page.locator('[role=grid][aria-label="Archived"]').wait_for(state="attached")


def test_previews_change_while_people_type(simulator: RunningSimulator, visit: Visit) -> None:
    simulator.behave("typing")
    page = visit(simulator.url)
    preview = page.locator("#pane-side [data-testid=last-msg-status]").first
    preview.filter(has_text="typing…").wait_for()
    preview.filter(has_not_text="typing…").wait_for()


def test_people_also_write_into_chats_whose_ids_have_changed() -> None:
    server = open_server(SimulatorOptions(chats=6, messages=60))
    people = [chat.id for chat in server.world.chats.values() if chat.kind == "person" and chat.is_in_scope]
    for chat_id in people:
        migrate_chat(server.world, chat_id, rewrites=False)
    before = len(server.world.messages)

    server.stagehand.switch(("chatter", "late_decryption"))
    waiting = len(server.world.messages)
    server.stagehand.opened(next(iter(server.world.chats)))

    assert waiting > before
    assert len(server.world.messages) == waiting + 2
