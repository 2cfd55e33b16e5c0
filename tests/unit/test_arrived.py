"""How much history a newly linked browser has got, in words."""

from datetime import UTC, datetime, timedelta

from whatsapp_etl.arrived import ArrivedHistory, arrived_history, told
from whatsapp_etl.model import MessageIndexEntry
from whatsapp_etl.room import LEAST_FOR_PROFILE, little_room

NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)


def entry(days: int) -> MessageIndexEntry:
    return MessageIndexEntry(f"true_1@c.us_{days}", "1@c.us", NOW - timedelta(days=days), "chat")


def test_messages_are_counted_and_the_oldest_found_in_whatever_order_they_come():
    history = arrived_history([], [[entry(3), entry(400)], [], [entry(8)]])

    assert (history.messages, history.oldest_at) == (3, NOW - timedelta(days=400))


def test_what_the_page_says_of_each_chat_is_counted():
    history = ArrivedHistory(1204, 51_200, NOW, {1: 1100, 0: 90, 2: 3, None: 10, 7: 1})

    assert list(told(history)) == [
        "51,200 messages in 1,204 chats have arrived, the oldest of 23 Aug 2026.",
        (
            "Chats: 1,100 whole, 90 with more on the phone, 3 cut off on the way, "
            "11 of which WhatsApp Web does not say."
        ),
    ]


def test_an_empty_account_has_an_answer_too():
    assert list(told(arrived_history([], []))) == ["0 messages in 0 chats have arrived."]


def test_a_disk_with_little_room_is_told_before_anything_is_loaded():
    assert little_room(LEAST_FOR_PROFILE) is None
    assert "Only 1.9 GB are free for the profile, where 2 GB are advised." in (
        little_room(LEAST_FOR_PROFILE - 100_000_000) or ""
    )
