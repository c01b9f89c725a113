from __future__ import annotations

from typing import Callable


class ManualTimer:
    def __init__(self, timers: list[ManualTimer], at: float, run: Callable[[], object]) -> None:
        self.at = at
        self.run = run
        self._timers = timers
        timers.append(self)

    def cancel(self) -> None:
        if self in self._timers:
            self._timers.remove(self)


class ManualClock:
    """Time that stands still until a script moves it."""

    def __init__(self) -> None:
        self._now = 1_000_000.0
        self._timers: list[ManualTimer] = []

    def now(self) -> float:
        return self._now

    def call_later(self, ms: float, run: Callable[[], object]) -> ManualTimer:
        return ManualTimer(self._timers, self._now + ms, run)

    def advance(self, ms: float) -> None:
        """Runs what is due on the way, in order."""
        end = self._now + ms
        while due := [timer for timer in self._timers if timer.at <= end]:
            first = min(due, key=lambda timer: timer.at)
            first.cancel()
            self._now = max(self._now, first.at)
            first.run()
        self._now = end

    def sleep(self, ms: float) -> None:
        """Time passes, and no timer runs: as on a machine that sleeps."""
        self._now += ms
