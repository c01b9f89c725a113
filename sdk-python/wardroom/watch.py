"""News of all rooms of the user."""

from __future__ import annotations

import asyncio
from typing import Callable, Protocol

from .connection.connection import Frame
from .connection.requests import Delivery
from .tasks import Tasks, shared


class Ask(Protocol):
    def __call__(
        self,
        frame: Callable[[str], Frame],
        delivery: Delivery,
        *,
        on_answer: Callable[[Frame], None] | None = None,
        own: bool = False,
    ) -> asyncio.Future[Frame]: ...


class Watch:
    """Once asked for, asked for again over each new connection."""

    def __init__(self, ask: Ask, tasks: Tasks) -> None:
        self._ask = ask
        self._tasks = tasks
        self._asked: asyncio.Task[Frame] | None = None
        self._is_answered = False

    async def start(self) -> Frame:
        """Returns when news comes over the present connection, or the next one."""
        if self._asked is None:
            self._asked = self._tasks.share(self._watch())
        return await shared(self._asked)

    def resume(self) -> None:
        """There is a new connection. A request without an answer is sent over it by itself."""
        if self._asked and self._is_answered:
            self._asked = self._tasks.share(self._watch())

    def stop(self) -> None:
        self._asked = None

    async def _watch(self) -> Frame:
        def answered(_: Frame) -> None:
            self._is_answered = True

        self._is_answered = False
        try:
            return await self._ask(
                lambda id: {"type": "watch", "id": id},
                "until_answered",
                on_answer=answered,
                own=True,
            )
        except BaseException:
            self._asked = None
            raise
