"""The control API as methods."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import httpx

_TIMEOUT_SECONDS = 300  # the truth of 200,000 messages takes a while


class ControlClient:
    """Calls the control API of a simulator at `url`. A refused call raises httpx.HTTPStatusError."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Environment proxies are left aside: the simulator is on this machine.
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False)

    def close(self) -> None:
        self._http.close()

    # --- session -------------------------------------------------------------------------------

    def scan(self) -> None:
        """Scan the QR code of every page that shows one; 400 when none does."""
        self._post("scan")

    def pair(self, code: str) -> None:
        """Type a pairing code on the phone, eight characters without a hyphen; 400 when no page shows it."""
        self._post("pair", code=code)

    def logout(self, reason: int = 0) -> None:
        self._post("logout", reason=reason)

    def dialog(self, kind: str) -> None:
        self._post("dialog", kind=kind)

    def set_config(self, **changes: object) -> dict[str, Any]:
        """Change the page's configuration; `delays` are merged one by one."""
        return self._post("config", **changes)

    def settle(self) -> bool:
        """Return once the open pages have in their storage what was changed; False: not within seconds."""
        return bool(self._post("settle")["settled"])

    def behave(self, *names: str) -> None:
        """Let exactly these behaviours be on; see `docs/simulator.md`."""
        self._post("behaviours", on=list(names))

    def set_phone_history(self, chat: str, result: str) -> None:
        """Decide how the phone answers a request for older messages: ok, failed or use_phone."""
        self._post("phone_history", chat=chat, result=result)

    # --- the story -----------------------------------------------------------------------------

    def add_message(self, chat: str, body: object = None, *, type: str = "chat", **fields: object) -> str:  # noqa: A002
        """Let somebody send something and return its external id.

        Args:
            chat: The chat's id.
            body: The text or caption, or an object with fields of the body.
            type: WhatsApp's name of the kind.
            fields: `sender` ("me" or an id), `at` (ISO with zone), `stanza`, `quoted`, `mentions`,
                `forwarding_score`, `subtype`, `ack`, `album`, `file` (base64), its `mimetype`, `file_name`.
        """
        if "sender" in fields:
            fields["from"] = fields.pop("sender")
        payload = {"chat": chat, "type": type, **fields}
        if body is not None:
            payload["body"] = body
        return str(self._post("messages", **payload)["external_id"])

    def edit(self, external_id: str, body: str) -> None:
        self._call("PATCH", f"messages/{external_id}", json={"body": body})

    def delete(self, external_id: str, by: str = "sender") -> None:
        """Delete for everyone, by "sender" or "admin", or on this device only, by "me"."""
        self._call("DELETE", f"messages/{external_id}", params={"by": by})

    def react(self, external_id: str, emoji: str | None, sender: str = "me") -> None:
        self._post("reactions", message=external_id, sender=sender, emoji=emoji)

    def decrypt(self, external_id: str, body: str) -> None:
        """Let a waiting message arrive under the same id."""
        self._post("decrypt", message=external_id, body=body)

    def expire(self, external_id: str) -> None:
        """Take a message's file off the server."""
        self._post("expire", message=external_id)

    def add_chat(self, **fields: object) -> str:
        """Open a new chat and return its id; see `docs/simulator.md` for the fields."""
        return str(self._post("chats", **fields)["chat"])

    def change_chat(self, chat: str, **fields: object) -> None:
        self._call("PATCH", f"chats/{chat}", json=fields)

    def migrate_chat(self, chat: str, *, rows: str = "all") -> str:
        """Change a chat from phone ids to LIDs and return its id; see `docs/simulator.md`."""
        return str(self._post(f"chats/{chat}/migrate", rows=rows)["chat"])

    def link_again(self, *, lids: bool = False, days: float | None = None) -> None:
        """Unlink all pages; the next ones get everything anew as history, with `lids` under LIDs.

        With `days` they get that of the last days only; what is older stays on the phone.
        """
        self._post("relink", lids=lids, **({} if days is None else {"days": days}))

    def restore(self, days: float) -> int:
        """Set the device back to an older copy of its profile; return how many messages it lacks now."""
        return int(self._post("restore", days=days)["gone"])

    def hold_history(self, days: float) -> int:
        """Let what is older than `days` come later; return in how many chats."""
        return int(self._post("history/hold", days=days)["chats"])

    def release_history(self) -> int:
        """Let it come, as rows below all others; return how many messages that is."""
        return int(self._post("history/release")["came"])

    # --- what is and what was ------------------------------------------------------------------

    def truth(
        self,
        since: datetime | None = None,
        *,
        lookback_days: float | None = None,
        view: str = "perfect",
        columns: Iterable[str] = (),
    ) -> list[dict[str, Any]]:
        """Return what a perfect sync must contain; `columns` are those wanted, where a world is large."""
        params: dict[str, str] = {"view": view}
        if since is not None:
            params["since"] = since.isoformat()
        if lookback_days is not None:
            params["lookback_days"] = str(lookback_days)
        if names := ",".join(columns):
            params["columns"] = names
        rows: list[dict[str, Any]] = self._call("GET", "truth", params=params)
        return rows

    def ledger(self) -> dict[str, Any]:
        return self._get("ledger")

    def reset_ledger(self) -> None:
        self._post("ledger/reset")

    def unread(self) -> dict[str, int]:
        return self._get("unread")

    def world(self) -> dict[str, Any]:
        return self._get("world")

    def _get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._call("GET", path)
        return answer

    def _post(self, path: str, /, **payload: object) -> dict[str, Any]:
        answer: dict[str, Any] = self._call("POST", path, json=payload)
        return answer

    def _call(
        self, method: str, path: str, *, json: object = None, params: dict[str, str] | None = None
    ) -> Any:  # noqa: ANN401
        response = self._http.request(method, f"/__sim/{path}", json=json, params=params)
        response.raise_for_status()
        return response.json()
