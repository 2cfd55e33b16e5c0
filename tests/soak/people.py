"""What happens in the account meanwhile: people write, edit, delete, react, rename, and change their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from whatsapp_etl.simulator.serve import RunningSimulator

_KINDS = ("chat", "chat", "chat", "image", "document", "poll_creation", "location", "vcard", "ptt")
_EMOJI = ("👍", "❤️", "😂", None)
_CHANGED_WITHIN_DAYS = 5


@dataclass
class People:
    """Changes a world, a few things before each cycle."""

    simulator: RunningSimulator
    random: Random
    done: Counter[str] = field(default_factory=Counter)
    _number: int = 0

    def live(self) -> None:
        """Let up to three things happen."""
        acts: dict[str, tuple[int, Callable[[], None]]] = {
            "written": (60, self._write),
            "edited": (10, self._edit),
            "deleted": (6, self._delete),
            "reacted": (12, self._react),
            "renamed": (4, self._rename),
            "chats_begun": (3, self._begin),
            "chats_under_lids": (2, self._migrate),
        }
        for _ in range(self.random.randint(0, 3)):
            name = self.random.choices(list(acts), [weight for weight, _ in acts.values()])[0]
            acts[name][1]()
            self.done[name] += 1

    def _chats(self, *kinds: str) -> list[str]:
        return [
            str(chat["id"])
            for chat in self.simulator.world()["chats"]
            if chat["in_scope"] and chat["kind"] in kinds
        ]

    def _text(self) -> str:
        """Return the key of a text of the last days, as it is called now."""
        rows = self.simulator.truth(lookback_days=_CHANGED_WITHIN_DAYS)
        return str(self.random.choice([row["external_id"] for row in rows if row["message_type"] == "text"]))

    def _write(self) -> None:
        chat = self.random.choice(self._chats("person", "group"))
        self._number += 1
        kind = self.random.choice(_KINDS)
        body = f"Line {self._number} of a long talk" if kind == "chat" else None
        sender = {"sender": "me"} if self.random.random() < 0.4 else {}
        self.simulator.add_message(chat, body, type=kind, **sender)

    def _edit(self) -> None:
        self._number += 1
        self.simulator.edit(self._text(), f"Line {self._number}, corrected")

    def _delete(self) -> None:
        self.simulator.delete(self._text())

    def _react(self) -> None:
        self.simulator.react(self._text(), self.random.choice(_EMOJI))

    def _rename(self) -> None:
        self._number += 1
        self.simulator.change_chat(self.random.choice(self._chats("group")), name=f"Walkers {self._number}")

    def _begin(self) -> None:
        self._number += 1
        kind = self.random.choice(("person", "group"))
        chat = self.simulator.add_chat(kind=kind, name=f"Newcomer {self._number}")
        self.simulator.add_message(chat, f"First line {self._number}")

    def _migrate(self) -> None:
        phone_chats = [chat for chat in self._chats("person") if chat.endswith("@c.us")]
        if not phone_chats:
            return
        chat = self.random.choice(phone_chats)
        self.simulator.migrate_chat(chat, rows=self.random.choice(("all", "new")))
