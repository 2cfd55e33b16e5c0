"""What may go wrong on a page, by name: what to do to the stand-in, and with which settings it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from whatsapp_etl.simulator.serve import RunningSimulator


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One trouble. Several of them can be switched on at once."""

    config: Mapping[str, object] = field(default_factory=dict)  #: Of the page.
    dialog: str = "none"
    phone: str | None = None  #: How the phone answers when it is asked for older messages.
    settings: Mapping[str, object] = field(default_factory=dict)  #: Of the program.


def _late(**delays: int) -> Behaviour:
    return Behaviour({"delays": delays})


BEHAVIOURS: Mapping[str, Behaviour] = {
    "no model on the nodes": Behaviour({"fiber": False}),
    "pictures only on demand": Behaviour({"auto_download": False}),
    "rows emptied near the screen": Behaviour({"virtual_margin_px": 600}),
    "list moves while one scrolls": Behaviour({"reorder_while_scrolling": True}),
    "late start": _late(boot_ms=800, loading_ms=1500),
    "late conversation": _late(open_chat_ms=400),
    "late older messages": _late(page_load_ms=400, reveal_ms=200),
    "rows empty for a while": _late(hydrate_ms=500),
    "late pictures": _late(image_ms=600),
    "late phone": Behaviour(
        {"delays": {"phone_ms": 1500}}, phone="ok", settings={"whatsapp_phone_history": "auto"}
    ),
    "phone answers": Behaviour(phone="ok", settings={"whatsapp_phone_history": "auto"}),
    "phone fails": Behaviour(phone="failed", settings={"whatsapp_phone_history": "auto"}),
    "phone says use phone": Behaviour(phone="use_phone", settings={"whatsapp_phone_history": "auto"}),
    "no button for the phone": Behaviour(
        {"phone_button": False}, settings={"whatsapp_phone_history": "auto"}
    ),
    "update bar": Behaviour(dialog="update_bar"),
    "feature shown over the app": Behaviour(dialog="feature"),
}


def switch_on(simulator: RunningSimulator, names: tuple[str, ...]) -> None:
    """Let the page behave so from its next load on."""
    delays: dict[str, object] = {}
    config: dict[str, object] = {}
    for name in names:
        behaviour = BEHAVIOURS[name]
        config |= {key: value for key, value in behaviour.config.items() if key != "delays"}
        delays |= dict(behaviour.config.get("delays", {}))  # type: ignore[call-overload]
        if behaviour.dialog != "none":
            simulator.dialog(behaviour.dialog)
        if behaviour.phone is not None:
            for chat in simulator.world()["chats"]:
                if chat["on_phone"]:
                    simulator.set_phone_history(chat["id"], behaviour.phone)
    simulator.set_config(**config, delays=delays)


def settings_of(names: tuple[str, ...]) -> dict[str, object]:
    return {key: value for name in names for key, value in BEHAVIOURS[name].settings.items()}
