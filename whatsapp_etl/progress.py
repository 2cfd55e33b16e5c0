"""What a person sees while a cycle runs. Counts only: no titles, no names."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class CycleProgress(Protocol):
    """Told by a cycle where it stands."""

    def stage(self, name: str) -> None: ...

    def chats(self, total: int) -> None: ...

    def chat_done(self, messages: int) -> None: ...


class NoProgress:
    """For unattended runs."""

    def stage(self, name: str) -> None:
        pass

    def chats(self, total: int) -> None:
        pass

    def chat_done(self, messages: int) -> None:
        pass


class RichProgress:
    """A bar on stderr; nothing when it is not a terminal or not wanted."""

    def __init__(self, *, is_shown: bool = True) -> None:
        console = Console(stderr=True)
        self._messages = 0
        self._task: TaskID | None = None
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[messages]} messages"),
            TimeElapsedColumn(),
            console=console,
            disable=not is_shown or not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bar.start()
        self._task = self._bar.add_task("opening the page", total=None, messages=0)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def stage(self, name: str) -> None:
        if self._task is not None:
            self._bar.update(self._task, description=name)

    def chats(self, total: int) -> None:
        if self._task is not None:
            self._bar.update(self._task, total=total, completed=0)

    def chat_done(self, messages: int) -> None:
        self._messages += messages
        if self._task is not None:
            self._bar.update(self._task, advance=1, messages=self._messages)
