"""Follows the agent's thread: which chat it is, by what the browser lists now, and the flags that follow."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

import structlog

from whatsapp_etl.agent import UNRESOLVED, AgentWish, Routing, ThreadChoice
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import Account, AgentState
from whatsapp_etl.scope import Directory
from whatsapp_etl.transform.agent_thread import People, choose_thread, groups_named, next_routing
from whatsapp_etl.transform.visits import is_named

log = structlog.get_logger(__name__)

#: What must be readable for a name to be looked up: without it, one of several could seem the only one.
_NEEDED = frozenset({"contacts", "groups", "lids"})


def follow_agent(
    store: Store,
    wish: AgentWish,
    directory: Directory,
    unreadable: Collection[str],
    *,
    run_id: int,
    now: datetime,
) -> Routing:
    """Put into force what the settings say; the people must be stored. Touches no row when nothing changed.

    Args:
        store: Where.
        wish: What the settings say.
        directory: Whom the browser lists.
        unreadable: Parts of its storage that could not be read this time.
        run_id: The run that changes flags.
        now: The time.
    """

    def choose() -> ThreadChoice:
        if not _NEEDED.isdisjoint(unreadable):
            return ThreadChoice(AgentState.NOT_FOUND)
        return choose_thread(wish, _people(store, wish, directory))

    return _follow(store, wish, directory.account, choose, run_id=run_id, now=now)


def follow_agent_unlisted(
    store: Store, wish: AgentWish, account: Account, *, run_id: int, now: datetime
) -> Routing:
    """Do the same while nobody is listed: a chat that is not pinned yet waits, all else is in force at once.

    A number waits, too: without the lists it could be pinned by an id under which the chat is not known.
    """
    return _follow(store, wish, account, lambda: ThreadChoice(AgentState.NOT_FOUND), run_id=run_id, now=now)


def _follow(
    store: Store,
    wish: AgentWish,
    account: Account,
    choose: Callable[[], ThreadChoice],
    *,
    run_id: int,
    now: datetime,
) -> Routing:
    before = store.agent.routing()
    routing = next_routing(before, wish, account, choose, now)
    changed = store.agent.follow(routing, run_id)
    if routing.state is not before.state or changed:
        log.info("agent_routing", state=routing.state.value, messages_changed=changed)
    if routing.state in UNRESOLVED:
        log.warning("agent_unresolved", state=routing.state.value, candidates=len(routing.candidates))
    return routing


def _people(store: Store, wish: AgentWish, directory: Directory) -> People:
    groups = tuple(directory.groups.values())
    rules = directory.rules

    def may_be_stored(some_id: str) -> bool:
        return not (
            is_named(some_id, None, rules)
            or rules.forgotten.has_contact(some_id)
            or rules.forgotten.has_chat(some_id)
        )

    return People(
        account=directory.account,
        chats=directory.chats,
        contacts=directory.contacts,
        groups=groups,
        phone_ids=rules.phone_ids,
        written_in=store.agent.written_in(groups_named(wish, groups)),
        may_be_stored=may_be_stored,
    )
