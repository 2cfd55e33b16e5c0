"""Who is told outside, and what is the agent's, as the settings say it."""

from __future__ import annotations

from typing import TypedDict

from whatsapp_etl.agent import AgentWish
from whatsapp_etl.events.sign import key_of
from whatsapp_etl.events.targets import Format, Target, parse_targets
from whatsapp_etl.settings import Settings


def agent_wish_of(settings: Settings) -> AgentWish:
    """Return which messages are the agent's."""
    return AgentWish(
        contact=settings.whatsapp_agent_contact,
        thread_name=settings.whatsapp_agent_thread_name,
        keywords=settings.whatsapp_agent_keywords,
        allowed=settings.whatsapp_agent_allowed,
    )


def targets_of(settings: Settings) -> tuple[Target, ...]:
    """Return to whom events are delivered.

    Raises:
        ConfigurationError: EVENTS_WEBHOOKS or EVENTS_SECRET cannot be used.
    """
    key_of(settings.events_secret.get_secret_value())
    return parse_targets(
        settings.events_webhooks.get_secret_value(), allows_private=settings.events_allow_private
    )


def agent_targets_of(settings: Settings) -> tuple[Target, ...]:
    """Return to whom the agent's messages are delivered.

    Raises:
        ConfigurationError: WHATSAPP_AGENT_WEBHOOKS cannot be used.
    """
    return parse_targets(
        settings.whatsapp_agent_webhooks.get_secret_value(),
        allows_private=settings.events_allow_private,
        variable="WHATSAPP_AGENT_WEBHOOKS",
        formats=frozenset({Format.JSON}),
    )


class TargetNames(TypedDict):
    """Names of all of them, as the store takes them."""

    targets: list[str]
    agent_targets: list[str]


def target_names(settings: Settings) -> TargetNames:
    """Return what the store needs of both.

    Raises:
        ConfigurationError: One of the settings cannot be used.
    """
    return {
        "targets": [target.name for target in targets_of(settings)],
        "agent_targets": [target.name for target in agent_targets_of(settings)],
    }
