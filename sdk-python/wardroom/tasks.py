"""Work that runs beside the caller, and futures that several callers share."""

from __future__ import annotations

import asyncio
from typing import Any, Coroutine, TypeVar

T = TypeVar("T")


class Tasks:
    """Keeps tasks alive until they end. An error in one goes to the handler of the event loop."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def share(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """For callers that wait for it with `shared`: its error is theirs."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        quiet(task)
        return task

    async def ended(self, within_ms: float) -> None:
        """Waits for all tasks but the caller's own; those that take longer are cancelled."""
        rest = self._running - {asyncio.current_task()}
        if not rest:
            return
        _, late = await asyncio.wait(rest, timeout=within_ms / 1000)
        for task in late:
            task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            report(error)


def report(error: BaseException) -> None:
    """For errors of listeners, which hurt neither the client nor other listeners."""
    context = {"message": "Error in a listener or task of the Wardroom client", "exception": error}
    asyncio.get_running_loop().call_exception_handler(context)


def quiet(future: asyncio.Future[Any]) -> None:
    """Its failure is no news: a caller that does not wait for it learns of it otherwise."""
    future.add_done_callback(lambda done: done.cancelled() or done.exception())


async def shared(future: asyncio.Future[T]) -> T:
    """Waits for what others wait for, too: a caller that is cancelled takes nothing from them."""
    return await asyncio.shield(future)
