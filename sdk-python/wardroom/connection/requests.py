from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Callable, Literal, Protocol

from ..clock import Clock, Timer, cancel
from ..errors import WardroomError, caused, error_from_wire
from .connection import Frame
from .plan_reconnect import Backoff, jitter_ms

#: `until_answered`: waits for a live connection, and is sent again after a loss or a `retry`:
#: harmless to repeat. `once`: waits too, but a loss after it was sent fails it, because its outcome
#: is unknown. `now`: only over a live connection; every trouble fails it.
Delivery = Literal["until_answered", "once", "now"]

#: More unanswered frames than this are not in flight; the rest waits its turn.
IN_FLIGHT_MAX = 64


class RequestsPort(Protocol):
    @property
    def is_live(self) -> bool: ...

    def send_request(self, frame: Frame) -> None: ...

    def token_expired(self) -> None:
        """A request was refused because the token has expired. `is_live` is false from here on."""
        ...


@dataclass(eq=False)
class Request:
    #: Made anew for each sending.
    frame: Callable[[str], Frame]
    delivery: Delivery
    future: asyncio.Future[Frame]
    on_answer: Callable[[Frame], None] | None
    op_id: str | None
    sent: bool = False
    refusals: int = 0

    def fail(self, why: WardroomError) -> None:
        if not self.future.done():
            self.future.set_exception(why)


class Requests:
    """Every request without an answer, in the order they were made. Each is settled once."""

    def __init__(
        self, port: RequestsPort, clock: Clock, backoff: Backoff, open_max: int
    ) -> None:
        self._port = port
        self._clock = clock
        self._backoff = backoff
        self._open_max = open_max
        self._open: dict[str, Request] = {}
        self._count = 0
        self._in_flight = 0
        self._held_until: float = 0
        self._timer: Timer | None = None

    def ask(
        self,
        frame: Callable[[str], Frame],
        delivery: Delivery,
        *,
        on_answer: Callable[[Frame], None] | None = None,
        op_id: str | None = None,
        own: bool = False,
    ) -> asyncio.Future[Frame]:
        """`frame` gets the id of the request and returns the whole frame. `on_answer` runs before
        the next frame is read. `own`: made by the client itself, outside of its limit.
        """
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        request = Request(frame, delivery, future, on_answer, op_id)
        if delivery == "now" and not self._port.is_live:
            request.fail(WardroomError("not_connected", op_id=op_id))
        elif not own and len(self._open) >= self._open_max:
            request.fail(WardroomError("queue_full", op_id=op_id))
        else:
            self._count += 1
            id = f"r{self._count}"
            self._open[id] = request
            future.add_done_callback(lambda _: self._given_up(id, request))
            if delivery == "now":
                self._send(id, request)
            else:
                self.flush()
        return future

    def flush(self) -> None:
        """Sends what waits, as far as the connection, the server's wish and the window allow."""
        if not self._port.is_live or self._clock.now() < self._held_until:
            return
        for id, request in tuple(self._open.items()):
            if self._in_flight >= min(IN_FLIGHT_MAX, len(self._open)):
                return
            if not request.sent:
                self._send(id, request)

    def answer(self, frame: Frame) -> bool:
        """Takes the frame if it answers a request."""
        id = frame.get("id")
        request = self._open.get(id) if isinstance(id, str) else None
        if not isinstance(id, str) or request is None or not request.sent:
            return False
        if frame["type"] == "error":
            self._refused(id, request, frame)
        else:
            self._take_out(id, request)
            if request.on_answer:
                request.on_answer(frame)
            if not request.future.done():
                request.future.set_result(frame)
        self.flush()
        return True

    def lost(self, cause: WardroomError) -> None:
        """The connection is gone: what may be repeated waits for the next one, the rest fails."""
        for id, request in tuple(self._open.items()):
            if not request.sent:
                continue
            if request.delivery == "until_answered" and not request.future.done():
                self._take_back(request)
                continue
            self._take_out(id, request)
            request.fail(caused(WardroomError("connection_lost", op_id=request.op_id), cause))

    def end(self, why: WardroomError) -> None:
        """There will be no other connection."""
        self._release()
        for id, request in tuple(self._open.items()):
            self._take_out(id, request)
            error = WardroomError(
                why.code,
                action=why.action,
                message=why.message,
                status=why.status,
                decision_id=why.decision_id,
                op_id=request.op_id,
            )
            request.fail(caused(error, why))

    def _send(self, id: str, request: Request) -> None:
        request.sent = True
        self._in_flight += 1
        self._port.send_request(request.frame(id))

    def _take_back(self, request: Request) -> None:
        request.sent = False
        self._in_flight -= 1

    def _take_out(self, id: str, request: Request) -> None:
        if request.sent:
            self._take_back(request)
        self._open.pop(id, None)

    def _given_up(self, id: str, request: Request) -> None:
        """The caller was cancelled. What was sent is kept to know its answer, but not repeated."""
        if request.future.cancelled() and not request.sent:
            self._open.pop(id, None)

    def _refused(self, id: str, request: Request, frame: Frame) -> None:
        """A refused request had no effect and may be sent again, `once` too; only `internal` does
        not say so much.
        """
        error = error_from_wire(frame)
        repeatable = not request.future.done() and (
            request.delivery == "until_answered"
            or (request.delivery == "once" and error.code != "internal")
        )
        if repeatable and error.action == "refresh":
            self._take_back(request)
            return self._port.token_expired()
        # Waiting does not make room for another subscription; the application must.
        if repeatable and error.action == "retry" and error.code != "too_many_subscriptions":
            self._take_back(request)
            pause_ms = error.retry_after_ms
            if pause_ms is None:
                pause_ms = max(1, jitter_ms(request.refusals, self._backoff))
                request.refusals += 1
            return self._hold(pause_ms)
        error.op_id = request.op_id
        self._take_out(id, request)
        request.fail(error)

    def _hold(self, ms: float) -> None:
        """Limits count per connection, so one `retry` holds all that waits; it keeps the order."""
        until = self._clock.now() + ms
        if until <= self._held_until:
            return
        self._release()
        self._held_until = until
        self._timer = self._clock.call_later(ms, self._go_on)

    def _go_on(self) -> None:
        self._release()
        self.flush()

    def _release(self) -> None:
        cancel(self._timer)
        self._held_until = 0
