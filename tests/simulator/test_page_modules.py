"""The page's module loader: what other clients ask it for."""

from __future__ import annotations

from collections.abc import Callable

from tests.fixtures.page import Visit
from tests.simulator.conversation_page import open_chat
from whatsapp_etl.simulator.serve import RunningSimulator


def test_other_clients_find_the_messages_in_memory_by_their_bare_id(
    start_simulator: Callable[..., RunningSimulator], visit: Visit
):
    simulator = start_simulator(chats=1, messages=30, extras=False)
    (chat,) = simulator.world()["chats"]
    key = simulator.add_message(chat["id"], "Found *me* 😀", sender=chat["id"])
    page = visit(simulator.url)
    memory = "() => require('WAWebCollections').Msg.getModelsArray()"
    at_start = page.evaluate(f"({memory})().length")
    open_chat(page, chat["title"])

    text = page.evaluate(
        "id => require('WAWebCollections').Msg.getModelsArray().find(m => m.id.id === id)?.body",
        key.split("_")[2],
    )

    assert text == "Found *me* 😀"
    assert at_start == 1 < page.evaluate(f"({memory})().length")
    assert page.evaluate(
        "() => [require('WAWebStreamModel').Stream.mode, require('WAWebSocketModel').Socket.state]"
    ) == [
        "MAIN",
        "CONNECTED",
    ]
    assert not page.evaluate("() => 'WAWebSend' in require('__debug').modulesMap")
