"""The commands about the agent's chat: which it is, what its pipeline was handed, what it proposed."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from whatsapp_etl import bootstrap, receivers
from whatsapp_etl.agent import AgentMessage, NamedChat, RoutingReport, StoredProposal
from whatsapp_etl.asked import say, settings_of_person
from whatsapp_etl.delivery_words import Again, delivery_json, delivery_line, told_again
from whatsapp_etl.happenings import DeliveryState, Listed
from whatsapp_etl.model import AgentState
from whatsapp_etl.plain_json import plain
from whatsapp_etl.transform.agent_thread import is_outdated

_WORDS = {
    AgentState.OFF: "No chat is the agent's, and no name calls it.",
    AgentState.THREAD: "One chat is the agent's.",
    AgentState.KEYWORDS: "Messages that call the agent by its name are told apart.",
    AgentState.NOT_FOUND: "No chat is known that the settings name. Nothing is routed.",
    AgentState.AMBIGUOUS: "Several chats have the name of the agent's. Nothing is routed.",
}
_REMEDY = (
    "Name the chat by its number or id in WHATSAPP_AGENT_CONTACT or WHATSAPP_AGENT_THREAD_NAME. A group "
    "counts by its name where the account has written, or that the account or a saved contact made."
)


def status(*, as_json: bool) -> None:
    """Print what is in force, as the last cycle decided it."""
    settings = settings_of_person()
    with bootstrap.open_store_to_read(settings) as store:
        report = store.agent.report()
        account = store.account()
    wish = receivers.agent_wish_of(settings)
    is_due = account is not None and is_outdated(report.routing, wish, account.id)
    if as_json:
        say(json.dumps(_status_json(report, is_due=is_due), sort_keys=True))
        return
    routing = report.routing
    say(_WORDS[routing.state])
    if report.thread is not None:
        say(f"chat        {_chat_line(report.thread)}")
    if routing.keywords:
        say(f"names       {', '.join(routing.keywords)}")
        say(f"allowed     the account itself, and {len(routing.allowed_ids)} ids")
    if routing.since is not None:
        say(f"since       {routing.since:%Y-%m-%d %H:%M:%S}")
    say(f"set apart   {report.marked} messages of its chat, {report.called} calls in other chats")
    for candidate in report.candidates:
        say(f"candidate   {_chat_line(candidate)}")
    if routing.state in {AgentState.NOT_FOUND, AgentState.AMBIGUOUS}:
        say(_REMEDY)
    if is_due:
        say("The settings have changed since: the next cycle follows them.")


def list_messages(last: int, state: DeliveryState | None, *, as_json: bool, with_text: bool) -> None:
    """Print the last messages handed over, newest first, with how each delivery stands."""
    with bootstrap.open_store_to_read(settings_of_person()) as store, store.agent_outbox() as outbox:
        messages = outbox.last(last, state)
    for each in messages:
        if as_json:
            say(json.dumps(_message_json(each, with_text=with_text), sort_keys=True))
            continue
        message = each.event
        text = f"  {' '.join((message.text or '').split())}" if with_text else ""
        say(
            f"{message.occurred_at:%Y-%m-%d %H:%M:%S}  {message.id}  {message.type.value:<21}"
            f"  {message.message_type}{text}"
        )
        for delivery in each.deliveries:
            say(f"    {delivery_line(delivery)}")


def replay(message_id: UUID | None, since: datetime | None, *, dead: bool) -> None:
    """Deliver again: one message, all since an instant, or what was given up.

    Raises:
        ConfigurationError: Not exactly one of these is asked for, nobody is there to be told, or there is
            no such message.
    """
    settings = settings_of_person()
    again = Again(message_id, since, dead)
    again.check(has_targets=bool(receivers.agent_targets_of(settings)), variable="WHATSAPP_AGENT_WEBHOOKS")
    now = bootstrap.clock_of(settings)()
    with bootstrap.open_store_to_read(settings) as store, store.agent_outbox() as outbox:
        count = again.ask(outbox, now, what="message", list_command="whatsapp-etl agent list")
    say(told_again(count))


def list_proposals(last: int, *, as_json: bool, with_text: bool) -> None:
    """Print the last proposals, newest first."""
    with bootstrap.open_store_to_read(settings_of_person()) as store:
        proposals = store.agent.proposals(last)
    for each in proposals:
        if as_json:
            say(json.dumps(_proposal_json(each, with_text=with_text), sort_keys=True))
            continue
        payload = f"  {json.dumps(each.payload, ensure_ascii=False, sort_keys=True)}" if with_text else ""
        say(f"{each.created_at:%Y-%m-%d %H:%M:%S}  {each.id}  {each.state.value:<8}  {each.kind}{payload}")


def _chat_line(chat: NamedChat) -> str:
    people = f", {chat.participants} people" if chat.participants else ""
    return f"{chat.id}  {chat.title or '(no name)'}{people}"


def _chat_json(chat: NamedChat | None) -> object:
    return None if chat is None else {"id": chat.id, "title": chat.title, "participants": chat.participants}


def _status_json(report: RoutingReport, *, is_due: bool) -> object:
    routing = report.routing
    return {
        "state": routing.state.value,
        "thread": _chat_json(report.thread),
        "thread_ids": list(routing.thread_ids),
        "keywords": list(routing.keywords),
        "allowed_ids": list(routing.allowed_ids),
        "candidates": [_chat_json(each) for each in report.candidates],
        "since": plain(routing.since),
        "messages_in_thread": report.marked,
        "messages_that_call": report.called,
        "settings_changed": is_due,
    }


def _message_json(each: Listed[AgentMessage], *, with_text: bool) -> object:
    message = each.event
    return {
        "id": str(message.id),
        "seq": message.seq,
        "type": message.type.value,
        "external_id": message.external_id,
        "thread_external_id": message.thread_id,
        "sender_id": message.sender_id,
        "is_outgoing": message.is_outgoing,
        "is_agent_channel": message.is_agent_channel,
        "message_type": message.message_type,
        "sent_at": plain(message.sent_at),
        "occurred_at": plain(message.occurred_at),
        "attachments": len(message.attachments),
        "deliveries": [delivery_json(delivery) for delivery in each.deliveries],
        **({"text": message.text} if with_text else {}),
    }


def _proposal_json(each: StoredProposal, *, with_text: bool) -> object:
    return {
        "id": str(each.id),
        "answers": str(each.answers),
        "external_id": each.external_id,
        "kind": each.kind,
        "state": each.state.value,
        "created_at": plain(each.created_at),
        **({"payload": each.payload} if with_text else {}),
    }
