from __future__ import annotations

from typing import Callable

from ..clock import Clock, Timer, cancel

#: A request waits so long before the server is asked for a sign of life, and so long again.
ANSWER_MS = 5000


class Heartbeat:
    """Asks for a sign of life after `period_ms` of silence (0: never by itself), and calls the
    transport dead when another `period_ms` later nothing was heard. An unanswered request and a
    wake-up hurry both. Only an unanswered ping kills: a process that stood still is late, not dead.
    """

    def __init__(
        self,
        clock: Clock,
        period_ms: float,
        ping: Callable[[], None],
        dead: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._period_ms = period_ms
        self._ping = ping
        self._dead = dead
        self._heard_at = clock.now()
        self._pinged = False
        self._awaiting = False
        self._timer: Timer | None = None
        self._wait(period_ms)

    def heard(self) -> None:
        self._heard_at = self._clock.now()
        self._pinged = self._awaiting = False

    def expect(self) -> None:
        """Something was sent that the server answers."""
        if self._pinged or self._awaiting or 0 < self._period_ms <= ANSWER_MS:
            return
        self._awaiting = True
        self._wait(ANSWER_MS)

    def probe(self, patience_ms: float) -> None:
        """Whether the transport still lives is to be known within `patience_ms`."""
        self._pinged = True
        self._ping()
        self._wait(patience_ms)

    def stop(self) -> None:
        cancel(self._timer)

    def _wait(self, ms: float) -> None:
        self.stop()
        if ms > 0:
            self._timer = self._clock.call_later(ms, self._check)

    def _check(self) -> None:
        if self._pinged:
            return self._dead()
        if self._awaiting:
            return self.probe(ANSWER_MS)
        left = self._period_ms - (self._clock.now() - self._heard_at)
        if left > 0:
            return self._wait(min(left, self._period_ms))
        if self._period_ms > 0:
            self.probe(self._period_ms)
