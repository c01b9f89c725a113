from __future__ import annotations

import json
import ssl
from typing import Any, Mapping, NamedTuple, Protocol

from ..clock import Clock, Timer, cancel
from ..debug import Debug, describe_frame
from ..errors import WardroomError
from ..json_text import json_text
from ..tasks import Tasks
from .heartbeat import Heartbeat
from .read_close import read_close
from .socket import Socket

Frame = Mapping[str, Any]

PROTOCOL = "wardroom.v1"
#: Its answer, also a refusal, is a sign of life and nothing else.
PING_ID = "ping"
#: Used until `hello` names another period.
HEARTBEAT_MS = 25_000
#: A server closes right after its goodbye; this is how long it is waited for.
GOODBYE_MS = 1000
#: Notices without an answer are dropped while so many frames wait for the network.
BACKLOG_MAX = 1000


class ConnectionOptions(NamedTuple):
    url: str
    tls: ssl.SSLContext | None
    tasks: Tasks
    clock: Clock
    connect_timeout_ms: float
    debug: Debug | None


class ConnectionHandlers(Protocol):
    def authenticate(self) -> None:
        """The socket is open."""
        ...

    def receive(self, frame: Frame) -> None: ...

    def leave(self, why: WardroomError) -> None:
        """Called once, unless `end` was called before."""
        ...


class Connection:
    """One WebSocket from its opening to its end. Knows frames, but not what they mean."""

    def __init__(self, options: ConnectionOptions, handlers: ConnectionHandlers) -> None:
        self._clock = options.clock
        self._debug = options.debug
        self._handlers = handlers
        self._is_over = False
        self._goodbye: Frame | None = None
        self._heartbeat_ms: float = HEARTBEAT_MS
        self._heartbeat: Heartbeat | None = None
        self._timer: Timer | None = options.clock.call_later(
            options.connect_timeout_ms, lambda: self.fail(WardroomError("connection_lost"))
        )
        self._socket = Socket(options.url, PROTOCOL, options.tls, options.tasks, self)

    def established(self) -> None:
        """The server accepted the credential: from now on silence is watched."""
        cancel(self._timer)
        if self._heartbeat:
            self._heartbeat.stop()
        self._heartbeat = Heartbeat(
            self._clock,
            self._heartbeat_ms,
            lambda: self.send({"type": "ping", "id": PING_ID}),
            lambda: self.fail(WardroomError("connection_lost")),
        )

    def send(self, frame: Frame) -> None:
        if self._is_over:
            return
        self._say("->", frame)
        self._socket.send(json_text(frame))

    def tell(self, frame: Frame) -> None:
        """A frame without an answer, which may be dropped."""
        if self._socket.backlog < BACKLOG_MAX:
            self.send(frame)

    def send_request(self, frame: Frame) -> None:
        """A frame that the server answers: silence after it is noticed sooner."""
        self.send(frame)
        if self._heartbeat:
            self._heartbeat.expect()

    def probe(self, patience_ms: float) -> None:
        """Fails with `connection_lost` unless the server is heard within `patience_ms`."""
        if self._heartbeat:
            self._heartbeat.probe(patience_ms)

    def end(self) -> None:
        """Ends it from this side, without telling the handlers."""
        self._is_over = True
        cancel(self._timer)
        if self._heartbeat:
            self._heartbeat.stop()
        self._socket.close()

    def fail(self, why: WardroomError) -> None:
        if self._is_over:
            return
        self.end()
        self._handlers.leave(why)

    def opened(self) -> None:
        if not self._is_over:
            self._handlers.authenticate()

    def heard(self, data: str | bytes) -> None:
        if self._is_over:
            return
        if self._heartbeat:
            self._heartbeat.heard()
        frame = _parse(data)
        if frame is None:
            return
        self._say("<-", frame)
        if frame.get("id") == PING_ID:
            return
        if frame["type"] == "hello":
            self._heartbeat_ms = frame["heartbeat_ms"]
        if frame["type"] != "goodbye":
            return self._handlers.receive(frame)
        self._goodbye = frame
        cancel(self._timer)
        self._timer = self._clock.call_later(GOODBYE_MS, lambda: self.fail(read_close(frame)))

    def closed(self, status: int, reason: str, retry_after_ms: float | None) -> None:
        if self._is_over:
            return
        if self._debug:
            self._debug(f"socket closed: {status}")
        why = read_close(self._goodbye, status, reason)
        if why.retry_after_ms is None:
            why.retry_after_ms = retry_after_ms
        self.fail(why)

    def _say(self, way: str, frame: Frame) -> None:
        if self._debug:
            self._debug(f"{way} {describe_frame(frame)}")


def _parse(data: str | bytes) -> Frame | None:
    """Shape is the server's promise; here only what would break the dispatch is refused."""
    try:
        value = json.loads(data) if isinstance(data, str) else None
    except ValueError:
        return None
    return value if isinstance(value, dict) and isinstance(value.get("type"), str) else None
