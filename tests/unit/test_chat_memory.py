"""What is remembered of single chats between cycles."""

from datetime import timedelta

from tests.transform_values import NOW, OTHER
from whatsapp_etl.chat_memory import LONGEST_BUDGET, ChatMemory
from whatsapp_etl.extract.reader import BUDGET
from whatsapp_etl.model import StopReason


class Clock:
    now = NOW

    def __call__(self):
        return self.now


def test_a_chat_that_ran_out_of_time_goes_first_with_twice_the_time_until_it_is_read():
    memory = ChatMemory(Clock())
    memory.note_read(OTHER, StopReason.TIME_BUDGET)
    assert (memory.first, memory.budget(OTHER)) == ({OTHER}, BUDGET * 2)

    memory.note_read(OTHER, StopReason.TIME_BUDGET)
    assert memory.budget(OTHER) == BUDGET * 4

    memory.note_read(OTHER, StopReason.ALL_FOUND)
    assert (memory.first, memory.budget(OTHER)) == (frozenset(), BUDGET)


def test_no_chat_gets_more_than_the_longest_time():
    memory = ChatMemory(Clock())
    for _ in range(20):
        memory.note_read(OTHER, StopReason.TIME_BUDGET)

    assert memory.budget(OTHER) == LONGEST_BUDGET


def test_a_chat_at_which_the_page_failed_goes_last_and_rests_from_the_second_time_on():
    clock = Clock()
    memory = ChatMemory(clock)
    memory.note_failure(OTHER, StopReason.DRIFT)
    assert (memory.last, memory.resting(OTHER)) == ({OTHER}, None)

    memory.note_failure(OTHER, StopReason.DRIFT)
    assert memory.resting(OTHER) is StopReason.DRIFT
    clock.now = NOW + timedelta(minutes=10)
    assert memory.resting(OTHER) is None
    memory.note_failure(OTHER, StopReason.DRIFT)
    clock.now += timedelta(minutes=19)
    assert memory.resting(OTHER) is StopReason.DRIFT

    memory.note_read(OTHER, StopReason.ALL_FOUND)
    assert (memory.last, memory.resting(OTHER)) == (frozenset(), None)


def test_a_clock_that_is_set_back_makes_no_rest_longer():
    now = [NOW + timedelta(days=1)]
    memory = ChatMemory(lambda: now[0])
    for _ in range(2):
        memory.note_failure("chat", StopReason.DRIFT)
    assert memory.resting("chat") is StopReason.DRIFT

    now[0] = NOW

    assert memory.resting("chat") is None
