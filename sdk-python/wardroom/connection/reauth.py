from __future__ import annotations

import math
from typing import Callable, Protocol

from ..clock import Clock, Timer, cancel
from ..errors import WardroomError, error_from_wire, to_wardroom_error
from ..session.credential import Credential, TokenReason, credential_fields
from ..tasks import Tasks
from .connection import Frame
from .plan_reconnect import Backoff, jitter_ms

#: However early a server wants the next token, there is a pause.
PAUSE_MS_MIN = 100


class ReauthPort(Protocol):
    async def take(self, reason: TokenReason) -> Credential: ...

    @property
    def presented(self) -> Credential | None:
        """The credential the server saw last."""
        ...

    def present(self, credential: Credential, frame: Frame) -> None:
        """Sends the frame and remembers its credential as presented."""
        ...

    def leave(self, why: WardroomError) -> None:
        """The server or the source of tokens wants the client to end, or to come back."""
        ...

    def failed(self, why: WardroomError) -> None:
        """It failed for now; the connection lives on to the end of its token."""
        ...


class Reauth:
    """A new token on the living connection, one at a time, without losing an event."""

    def __init__(self, port: ReauthPort, clock: Clock, backoff: Backoff, tasks: Tasks) -> None:
        self._port = port
        self._clock = clock
        self._backoff = backoff
        self._tasks = tasks
        self._is_running = False
        self._failures = 0
        self._due_at = math.inf
        # The timer is one after a failure: nothing may shorten it.
        self._is_pausing = False
        self._timer: Timer | None = None
        # Changes when the connection does; answers to an older one are void.
        self._round = 0
        self._id: str | None = None
        self._count = 0

    def schedule(self, ms: float) -> None:
        """An earlier date replaces a later one, never the other way round."""
        if self._is_running or self._is_pausing or self._clock.now() + ms >= self._due_at:
            return
        self._at(ms, self.run)

    def run(self, reason: TokenReason = "refresh") -> None:
        if self._is_running or self._is_pausing:
            return
        self._unschedule()
        self._is_running = True
        self._tasks.start(self._renew(reason, self._round))

    def wake(self) -> None:
        """Timers stand still while a machine sleeps: a renewal that is due by now is made now."""
        if not self._is_pausing and self._clock.now() >= self._due_at:
            self.run()

    def accepted(self, frame: Frame) -> None:
        """An `auth_ok` of any origin opens a new period."""
        self._is_running = False
        self._failures = 0
        self._unschedule()
        self.schedule(max(frame["refresh_after_ms"], PAUSE_MS_MIN))

    def refused(self, frame: Frame) -> None:
        if not self._is_running or frame.get("id") not in (None, self._id):
            return
        credential = self._port.presented

        def again() -> None:
            # `retry` means the same token once more; but a ticket has only one life.
            if not isinstance(credential, str):
                return self.run()
            self._is_running = True
            self._send(credential)

        self._failed(error_from_wire(frame), again)

    def stop(self) -> None:
        self._round += 1
        self._is_running = False
        self._failures = 0
        self._unschedule()

    async def _renew(self, reason: TokenReason, round_: int) -> None:
        try:
            credential = await self._port.take(reason)
        except Exception as raised:
            if round_ == self._round:
                why = to_wardroom_error(raised, "token_unavailable")
                self._failed(why, lambda: self.run(reason))
            return
        if round_ != self._round:
            return
        # A source that answers what the server already has would be asked for ever.
        if credential != self._port.presented:
            return self._send(credential)
        self._failed(WardroomError("token_unavailable"), lambda: self.run(reason))

    def _send(self, credential: Credential) -> None:
        self._count += 1
        self._id = f"auth{self._count}"
        frame = {"type": "auth_refresh", "id": self._id, **credential_fields(credential)}
        self._port.present(credential, frame)

    def _failed(self, why: WardroomError, again: Callable[[], None]) -> None:
        self._is_running = False
        if why.action in ("login", "stop", "reconnect"):
            return self._port.leave(why)
        pause_ms = why.retry_after_ms
        if pause_ms is None:
            pause_ms = max(1, jitter_ms(self._failures, self._backoff))
            self._failures += 1
        # `none`: the next `auth_expiring_soon`, `auth_expired` or close decides.
        if why.action == "refresh":
            self._at(pause_ms, lambda: self.run("rejected"))
        if why.action == "retry":
            self._at(pause_ms, again)
        self._is_pausing = self._due_at != math.inf
        self._port.failed(why)

    def _at(self, ms: float, run: Callable[[], None]) -> None:
        self._unschedule()
        self._due_at = self._clock.now() + ms

        def due() -> None:
            self._unschedule()
            run()

        self._timer = self._clock.call_later(ms, due)

    def _unschedule(self) -> None:
        cancel(self._timer)
        self._due_at = math.inf
        self._is_pausing = False
