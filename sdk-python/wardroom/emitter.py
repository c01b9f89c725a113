"""Events, for callbacks and for `async for`."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections import deque
from typing import Any, AsyncIterator, Callable, Generic, TypeVar

from .errors import WardroomError
from .tasks import Tasks, report

Listener = Callable[[Any], object]
T = TypeVar("T")

#: Events that a loop may have before it; the loop of a client that is too slow ends.
BUFFER = 10_000


class Emitter:
    """A listener is a function or a coroutine function. One that raises hurts nobody else."""

    def __init__(self, names: tuple[str, ...], tasks: Tasks) -> None:
        self._listeners: dict[str, list[Listener]] = {name: [] for name in names}
        self._tasks = tasks

    def on(self, name: str, listener: Listener) -> Callable[[], None]:
        self._of(name).append(listener)
        return lambda: self.off(name, listener)

    def off(self, name: str, listener: Listener) -> None:
        if listener in self._of(name):
            self._of(name).remove(listener)

    def once(self, name: str) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def resolve(event: Any) -> None:
            if not future.done():
                future.set_result(event)

        off = self.on(name, resolve)
        future.add_done_callback(lambda _: off())
        return future

    def stream(self, names: tuple[str, ...]) -> Stream[tuple[str, Any]]:
        """Name and event of these events from now on."""
        stream: Stream[tuple[str, Any]] = Stream()
        held = weakref.ref(stream)

        def pusher(name: str) -> Listener:
            def push(event: Any) -> None:
                if (stream := held()) is not None:
                    stream.push((name, event))

            return push

        for name in names:
            stream.when_over(self.on(name, pusher(name)))
        return stream

    def emit(self, name: str, event: Any) -> None:
        for listener in tuple(self._of(name)):
            try:
                result = listener(event)
                if inspect.iscoroutine(result):
                    self._tasks.start(result)
            except Exception as error:
                report(error)

    def _of(self, name: str) -> list[Listener]:
        if name not in self._listeners:
            raise ValueError(f"no event {name!r}: there are {', '.join(self._listeners)}")
        return self._listeners[name]


class Stream(Generic[T], AsyncIterator[T]):
    """Holds everything from its making on for one `async for`. A loop that is left drops it, and
    with it its listeners, which hold it weakly.
    """

    def __init__(self, size: int = BUFFER) -> None:
        self._items: deque[T] = deque()
        self._size = size
        self._waiter: asyncio.Future[None] | None = None
        self._why: BaseException | None = None
        self._is_over = False
        self._leave: list[Callable[[], None]] = []

    def __del__(self) -> None:
        for run in self._leave:
            run()

    def when_over(self, run: Callable[[], None]) -> None:
        self._leave.append(run)

    def ender(self) -> Callable[[BaseException | None], None]:
        """Ends it, and does not hold it."""
        held = weakref.ref(self)

        def end(why: BaseException | None) -> None:
            if (stream := held()) is not None:
                stream.end(why)

        return end

    def push(self, item: T) -> None:
        if self._is_over:
            return
        if len(self._items) >= self._size:
            return self.end(WardroomError("too_slow"))
        self._items.append(item)
        self._wake()

    def end(self, why: BaseException | None = None) -> None:
        """Hands out the items that are there; then the loop ends, or `why` is raised."""
        if self._is_over:
            return
        self._is_over, self._why = True, why
        leave, self._leave = self._leave, []
        for run in leave:
            run()
        self._wake()

    async def __anext__(self) -> T:
        while not self._items:
            if self._is_over:
                why, self._why = self._why, None
                raise why or StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._items.popleft()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)
