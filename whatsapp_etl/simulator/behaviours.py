"""What a page or its account does badly: named, switched on and off, and combined at will.

A behaviour is a change of the page's configuration, something that happens in the world when it
begins, when a page opens a chat, or when it ends, or several of these. `docs/simulator.md` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from whatsapp_etl.simulator.story import Story, StoryError
from whatsapp_etl.simulator.world import Message

#: Messages that a behaviour takes for its purpose, and new ones that it lets arrive at most.
_FEW = 3
_MOST_NEW = 12

#: What a behaviour keeps between its begin and its end: by its name, external ids or a count.
Notes = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a behaviour acts."""

    story: Story
    random: Random
    notes: Notes = field(default_factory=dict)

    def texts(self) -> list[Message]:
        """Return the texts that a sync is meant to read, the newest of each chat last."""
        world = self.story.world
        return [
            message
            for chat in world.chats.values()
            if chat.is_in_scope
            for message in world.messages_of(chat.id)
            if message.type == "chat" and not message.is_on_phone and message.expires_at is None
        ]

    def chats(self) -> list[str]:
        """Return the chats of these texts, as they are called now."""
        return sorted({self.story.world.chat_of(message).id for message in self.texts()})

    def some(self, messages: list[Message]) -> list[Message]:
        return self.random.sample(messages, min(_FEW, len(messages)))


Act = Callable[[Stage], Mapping[str, Any] | None]
OnOpen = Callable[[Stage, str], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One thing that goes badly. What an act returns is a further change of the configuration."""

    what: str
    config: Mapping[str, Any] = field(default_factory=dict)
    dialog: str = "none"
    hinders: bool = False  #: While it is on, not everything on this device can be had.
    begin: Act | None = None
    on_open: OnOpen | None = None  #: Called with the id of a chat whenever a page has opened it.
    unlinks: bool = False  #: When the second chat is opened, the phone logs all devices out.
    end: Act | None = None


def _rows_without_body(stage: Stage) -> Mapping[str, Any]:
    return {"bodiless": [message.stanza_id for message in stage.some(stage.texts())]}


def _let_wait(stage: Stage) -> None:
    chats = stage.chats()
    stage.notes["late_decryption"] = [
        stage.story.add_message({"chat": chat, "type": "ciphertext"}).external_id
        for chat in stage.random.sample(chats, min(_FEW, len(chats)))
    ]


def _decrypt(stage: Stage) -> None:
    for number, external_id in enumerate(stage.notes.get("late_decryption", [])):
        if external_id in stage.story.world.messages:
            stage.story.decrypt({"message": external_id, "body": f"It came at last, number {number}"})


def _answer_back(stage: Stage, chat_id: str) -> None:
    """Let somebody write into the chat that is being read, and into another one."""
    came = stage.notes.setdefault("chatter", [])
    if len(came) >= _MOST_NEW:
        return
    elsewhere = stage.random.choice(stage.chats())
    for chat in (chat_id, elsewhere):
        payload = {"chat": chat, "body": f"Just came in, number {len(came)}"}
        came.append(stage.story.add_message(payload).external_id)


def _delete_open_chat(stage: Stage, chat_id: str) -> None:
    """Delete the second chat that is opened, with all that was said in it."""
    opened = stage.notes.setdefault("chat_deleted_while_open", [])
    if chat_id not in opened:
        opened.append(chat_id)
        if len(opened) == _FEW - 1:
            stage.story.world.remove_chat(chat_id)


def _pass_midnight(stage: Stage, _chat_id: str) -> Mapping[str, Any] | None:
    """Let the page's clock jump over midnight when the second chat is opened."""
    opened = stage.notes.setdefault("midnight", [])
    opened.append(_chat_id)
    return {"clock_ahead_hours": 13} if len(opened) == _FEW - 1 else None


#: The half second and more that a page may take for everything.
_SLOW = {
    "boot_ms": 300, "loading_ms": 400, "open_chat_ms": 250, "page_load_ms": 250, "reveal_ms": 80,
    "hydrate_ms": 120, "image_ms": 150, "list_reorder_ms": 100,
}  # fmt: skip


def _screen(what: str, kind: str) -> Behaviour:
    """Return what keeps everybody from the chats until it ends."""
    return Behaviour(what, dialog=kind, hinders=True)


BEHAVIOURS: Mapping[str, Behaviour] = {
    # --- loading -------------------------------------------------------------------------------
    "slow_page": Behaviour("everything takes its time", {"delays": _SLOW}),
    "load_fails": Behaviour(
        "the first loads answer 503", {"failing_loads": 2, "load_failure": "http"}, hinders=True
    ),
    "script_missing": Behaviour(
        "the first loads lack their script", {"failing_loads": 2, "load_failure": "script"}, hinders=True
    ),
    "loading_hangs": Behaviour("the chats are loaded for ever", {"loading_hangs": True}, hinders=True),
    "unsupported_browser": Behaviour("the server refuses the browser", {"unsupported": True}, hinders=True),
    # --- what stands before the chats ------------------------------------------------------------
    "update_bar": Behaviour("a bar asks to refresh the page", dialog="update_bar"),
    "phone_offline": Behaviour("a bar says that the phone is not connected", dialog="phone_offline"),
    "syncing": Behaviour("a bar counts what is still synced", dialog="syncing"),
    "sync_paused": Behaviour("a bar says that syncing is paused", dialog="sync_paused"),
    "notifications_off": Behaviour("a bar offers notifications", dialog="notifications"),
    "feature_shown": Behaviour("something new is shown over the app", dialog="feature"),
    "features_shown": Behaviour("two new things are shown, one over the other", dialog="two_features"),
    "conflict": _screen("the page is used on another computer", "conflict"),
    "another_session": _screen("the page is used in another window", "another_session"),
    "terms": _screen("new terms wait for an answer", "terms"),
    "temp_ban": _screen("the account is banned for a while", "temp_ban"),
    "service_unavailable": _screen("the service is not available", "service_unavailable"),
    "deprecated": _screen("the client is too old", "deprecated"),
    "screen_lock": _screen("the app is locked with its password", "screen_lock"),
    "proxyblock": _screen("a network keeps the page from its service", "proxyblock"),
    "offline": _screen("a bar says that the computer is not connected", "offline"),
    "reconnecting": _screen("a bar counts down to the next try", "reconnecting"),
    "permission": _screen("older messages need a permission", "permission"),
    "passkey": _screen("a passkey is asked for", "passkey"),
    "log_out_question": _screen("the page asks whether to log out", "log_out_question"),
    "news_and_question": _screen("a question stands above the news", "feature_and_question"),
    "logging_out": _screen("the page says that it is logging out", "logging_out"),
    "logged_out_in_mid_read": Behaviour(
        "the phone logs all devices out when the second chat is opened", hinders=True, unlinks=True
    ),
    # --- the list ------------------------------------------------------------------------------
    "list_reorders": Behaviour("the list moves while one scrolls", {"reorder_while_scrolling": True}),
    "left_over_filter": Behaviour("a filter of the last visit is on", {"left_over": "unread-filter"}),
    "left_over_search": Behaviour("the search of the last visit stands", {"left_over": "search"}),
    "left_over_drawer": Behaviour("the archive was left open", {"left_over": "archive"}),
    "typing": Behaviour("people type: previews and subtitles change all the time", {"typing": True}),
    # --- the conversation ----------------------------------------------------------------------
    "rows_late": Behaviour("rows stay empty for a while", {"delays": {"hydrate_ms": 900}}),
    "rows_without_body": Behaviour("a few rows never get their body", begin=_rows_without_body),
    "small_margin": Behaviour("rows are emptied soon after they leave", {"virtual_margin_px": 300}),
    "no_fiber": Behaviour("nodes carry no model", {"fiber": False}),
    "tab_hidden": Behaviour(
        "the window is hidden: only the last message is drawn", {"tab_hidden": True}, hinders=True
    ),
    "midnight": Behaviour("the day changes while chats are read", on_open=_pass_midnight),
    "chatter": Behaviour("people write while chats are read", on_open=_answer_back),
    "chat_deleted_while_open": Behaviour(
        "the second chat opened is deleted then", hinders=True, on_open=_delete_open_chat
    ),
    "late_decryption": Behaviour("messages wait for their key until later", begin=_let_wait, end=_decrypt),
    "pictures_on_demand": Behaviour("pictures wait for a click", {"auto_download": False}),
    "pictures_never_come": Behaviour("downloads of pictures never end", {"delays": {"image_ms": 3_600_000}}),
    # --- the phone -----------------------------------------------------------------------------
    "phone_late": Behaviour("the phone takes its time", {"delays": {"phone_ms": 1500}}),
    "phone_failed": Behaviour("the phone hands nothing over", {"phone_result": "failed"}),
    "phone_refuses": Behaviour("the phone says to use the phone", {"phone_result": "use_phone"}),
    "phone_not_asked": Behaviour("the page says only that the phone has more", {"phone_button": False}),
    # --- the page's modules --------------------------------------------------------------------
    "modules_late": Behaviour("modules register late", {"delays": {"modules_ms": 1500}}),
    "module_missing": Behaviour(
        "a module is not there", {"missing_modules": ["WAWebDBMessageSerialization"]}
    ),
    "dependency_unresolved": Behaviour(
        "what a module depends on is not there", {"unresolved_modules": ["WAWebSchemaMessage"]}
    ),
    "member_renamed": Behaviour(
        "a member has another name",
        {"renamed_members": {"WAWebSchemaMessage.getMessageTable().greaterThan": "above"}},
    ),
    "columns_renamed": Behaviour(
        "columns of the table have other names", {"renamed_columns": {"rowId": "rid", "t": "ts"}}
    ),
    "keys_serialized": Behaviour("keys carry their packed form", {"serialized_keys": True}),
    "keys_bare": Behaviour("keys are packed as texts only", {"serialized_keys": False}),
    "key_late": Behaviour("the key takes its time", {"delays": {"key_ms": 1500}}),
    "key_never_comes": Behaviour("scripts never get the key", {"key_never_comes": True}),
    "reads_hang": Behaviour("reads of tables never settle", {"hanging_reads": 0}),
    "reads_hang_later": Behaviour("after a few they never settle", {"hanging_reads": 6}),
    "reads_fail_later": Behaviour("after a few they are refused", {"failing_reads": 6}),
    "table_empty": Behaviour("the table of messages is empty", {"table_empty": True}),
    "table_stands_still": Behaviour("it does not see new rows", {"table_stands_still": True}),
    "table_bodiless": Behaviour("its messages have no text", {"table_bodiless": True}),
    # --- the storage ---------------------------------------------------------------------------
    "idb_missing": Behaviour("the storage has an unknown name", {"hidden_idb": True}, hinders=True),
    "idb_newer": Behaviour("the storage has another version", {"idb_version": 2100}),
    "idb_renamed_fields": Behaviour(
        "columns of messages have other names", {"idb_renamed_fields": True}, hinders=True
    ),
    "idb_locked": Behaviour("the page keeps the messages locked", {"idb_locked": True}, hinders=True),
}


class Stagehand:
    """Switches behaviours on and off; what it returns is what the configuration must become."""

    def __init__(self, story: Story, seed: int, plain: Mapping[str, Any]) -> None:
        self.story = story
        self._stage = Stage(story, Random(f"{seed}/behaviours"))  # noqa: S311 - reproducible, not secret
        self._plain = dict(plain)
        self._changes: dict[str, dict[str, Any]] = {}  #: By the behaviours that are on.
        self._opened = 0  #: Chats that pages have opened since behaviours were switched.

    @property
    def on(self) -> tuple[str, ...]:
        return tuple(self._changes)

    @property
    def dialog(self) -> str:
        """What stands in the way; of several the last."""
        shown = [BEHAVIOURS[name].dialog for name in self.on if BEHAVIOURS[name].dialog != "none"]
        return shown[-1] if shown else "none"

    @property
    def unlinks_now(self) -> bool:
        """Whether the phone logs all devices out at this moment."""
        return self._opened == _FEW - 1 and any(BEHAVIOURS[name].unlinks for name in self.on)

    def switch(self, names: Iterable[str]) -> dict[str, Any]:
        """Let exactly these behaviours be on; the others end.

        Raises:
            StoryError: One of them does not exist.
        """
        wanted = tuple(dict.fromkeys(names))
        self._opened = 0
        if unknown := [name for name in wanted if name not in BEHAVIOURS]:
            raise StoryError(f"No such behaviour: {', '.join(unknown)}. There are: {', '.join(BEHAVIOURS)}.")
        result: dict[str, Any] = {}
        for name in set(self._changes) - set(wanted):
            result |= {key: self._plain[key] for key in self._changes.pop(name)}
            self._act(BEHAVIOURS[name].end)
        for name in wanted:
            if name not in self._changes:
                self._changes[name] = {**BEHAVIOURS[name].config, **self._act(BEHAVIOURS[name].begin)}
            _merge(result, self._changes[name])
        return result

    def opened(self, chat_id: str) -> dict[str, Any]:
        """Say that a page has opened a chat."""
        self._opened += 1
        result: dict[str, Any] = {}
        for name in self.on:
            if (act := BEHAVIOURS[name].on_open) is not None:
                self._changes[name].update(act(self._stage, chat_id) or {})
                _merge(result, self._changes[name])
        return result

    def _act(self, act: Act | None) -> Mapping[str, Any]:
        return (act(self._stage) if act is not None else None) or {}


def _merge(changes: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        changes[key] = {**changes.get(key, {}), **value} if isinstance(value, Mapping) else value
