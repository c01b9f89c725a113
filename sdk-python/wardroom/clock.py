"""Time as the client sees it; replaced in tests."""

from __future__ import annotations

import asyncio
import time
from typing import Callable, Protocol


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    def now(self) -> float:
        """Wall time in ms, because processes compare it through a storage."""
        ...

    def call_later(self, ms: float, run: Callable[[], object]) -> Timer: ...


class SystemClock:
    """The clock of the machine; timers run in the event loop that makes them."""

    def now(self) -> float:
        return time.time() * 1000

    def call_later(self, ms: float, run: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(ms / 1000, run)


def cancel(timer: Timer | None) -> None:
    if timer is not None:
        timer.cancel()
