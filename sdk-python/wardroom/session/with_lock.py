from __future__ import annotations

import asyncio
from typing import Awaitable, Callable, Protocol, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from ..clock import Clock

T = TypeVar("T")

#: A lock is waited for at most this long: its holder may stand still.
LOCK_MS_MAX = 2000


class Lock(Protocol):
    async def acquire(self) -> bool: ...

    def release(self) -> None: ...


Locks = Callable[[str], Lock]

_locks: WeakKeyDictionary[
    asyncio.AbstractEventLoop, WeakValueDictionary[str, asyncio.Lock]
] = WeakKeyDictionary()


def loop_locks(name: str) -> Lock:
    """One lock for each name and event loop."""
    of_loop = _locks.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    lock = of_loop.get(name)
    if lock is None:
        lock = of_loop[name] = asyncio.Lock()
    return lock


async def with_lock(lock: Lock, run: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """One `run` at a time. After `LOCK_MS_MAX` it goes ahead without the lock: a race does no harm,
    because the server gives all racers the same successor.
    """
    acquiring = asyncio.ensure_future(lock.acquire())
    timer = clock.call_later(LOCK_MS_MAX, acquiring.cancel)
    try:
        await asyncio.wait({acquiring})
        return await run()
    finally:
        timer.cancel()
        if not acquiring.done():
            acquiring.cancel()
        elif not acquiring.cancelled() and acquiring.exception() is None:
            lock.release()
