from __future__ import annotations

import asyncio
import math
from typing import Callable, Literal, NamedTuple, Protocol

from ..clock import Timer, cancel
from ..errors import WardroomError, caused, to_wardroom_error
from ..session.credential import Credential, TakeToken, TokenReason, credential_fields
from ..tasks import quiet, shared
from .connection import Connection, ConnectionOptions, Frame
from .plan_reconnect import Backoff, plan_reconnect
from .reauth import Reauth

#: idle -> connecting -> authenticating -> live <-> paused; from any of them waiting (between two
#: attempts) or closed. `paused`: connected, but the node cannot prove its authority, or the token
#: has expired and a new one is on its way.
ConnectionState = Literal[
    "idle", "connecting", "authenticating", "live", "paused", "waiting", "closed"
]

#: After waking: how long a sign of life, a handshake or a renewal may take.
PATIENCE_MS = 1500
#: So long after waking, failures of the transport are retried after at most `HURRIED_MS`.
AWAKE_MS = 3000
HURRIED_MS = 250


class KeeperOptions(NamedTuple):
    connection: ConnectionOptions
    take: TakeToken
    #: Gives up a renewal that has been under way for too long.
    hurry: Callable[[], None]
    backoff: Backoff
    #: A connection that lived so long was a good one: the next trouble starts counting anew.
    stable_ms: float
    #: Attempts in a row that may fail.
    max_attempts: float


class KeeperHandlers(Protocol):
    def on_state(self, state: ConnectionState, previous: ConnectionState) -> None: ...

    def on_authenticated(self, frame: Frame, how: Literal["connected", "refreshed"]) -> None: ...

    def on_ready(self, fresh: bool) -> None:
        """Frames may be sent; `fresh` on the first time over a new connection."""
        ...

    def on_frame(self, frame: Frame) -> None: ...

    def on_lost(self, why: WardroomError) -> None: ...

    def on_waiting(self, why: WardroomError, delay_ms: float, attempt: int) -> None: ...

    def on_failed(self, why: WardroomError) -> None: ...

    def on_ended(self, why: WardroomError) -> None: ...


class Next(NamedTuple):
    """The attempt that follows the wait."""

    reason: TokenReason
    not_before: float


class ConnectionKeeper:
    """Keeps one authenticated connection alive until the server or the application ends it."""

    def __init__(self, options: KeeperOptions, handlers: KeeperHandlers) -> None:
        self._options = options
        self._handlers = handlers
        self._clock = options.connection.clock
        self._tasks = options.connection.tasks
        self.state: ConnectionState = "idle"
        self.auth: Frame | None = None
        #: The credential the server saw last.
        self.presented: Credential | None = None
        self._connection: Connection | None = None
        self._attempt = 0
        # Changes with every attempt and end; results of an older attempt are void.
        self._run = 0
        self._timer: Timer | None = None
        self._live_at: float | None = None
        self._is_fresh = False
        self._is_paused = False
        self._is_expired = False
        self._started: asyncio.Future[Frame] | None = None
        self._next: Next | None = None
        self._woke_at = -math.inf
        self._wake_timer: Timer | None = None
        self._reauth = Reauth(self, self._clock, options.backoff, self._tasks)

    async def start(self) -> Frame:
        """Returns at `auth_ok`, however many attempts it takes; raises when the client ends."""
        if self.auth is not None and self.state in ("live", "paused"):
            return self.auth
        if self._started is None:
            self._started = asyncio.get_running_loop().create_future()
            quiet(self._started)
        started = self._started
        if self.state in ("idle", "closed"):
            self._connect("connect")
        return await shared(started)

    @property
    def paused_by(self) -> Literal["authority", "token"] | None:
        if self.state != "paused":
            return None
        return "token" if self._is_expired else "authority"

    @property
    def token(self) -> str | None:
        """The access token of the living connection."""
        return self.presented if self.auth and isinstance(self.presented, str) else None

    def tell(self, frame: Frame) -> None:
        if self._connection:
            self._connection.tell(frame)

    def send_request(self, frame: Frame) -> None:
        if self._connection:
            self._connection.send_request(frame)

    def wake(self) -> None:
        """A token that is due is renewed at once, a connection that gives no sign of life is
        replaced, and a wait is cut short; only a delay that the server asked for stays.
        """
        if self.state in ("idle", "closed"):
            return
        self._say("woken")
        now = self._woke_at = self._clock.now()
        if self._next:
            return self._wait_for(max(0, self._next.not_before - now))
        if self._live_at is not None:
            self._reauth.wake()
            if self._connection:
                self._connection.probe(PATIENCE_MS)
            return
        run = self._run
        cancel(self._wake_timer)

        def impatient() -> None:
            if run != self._run or self._live_at is not None:
                return
            if self._connection:
                self.leave(WardroomError("connection_lost"))
            else:
                self._options.hurry()

        self._wake_timer = self._clock.call_later(PATIENCE_MS, impatient)

    def token_expired(self) -> None:
        self._is_expired = True
        self._settle()
        self._reauth.run()

    def end(self, why: WardroomError) -> None:
        if self.state == "closed":
            return
        self._drop()
        self._attempt = 0
        self.presented = None
        started, self._started = self._started, None
        self._become("closed")
        self._handlers.on_ended(why)
        if started and not started.done():
            started.set_exception(why)

    async def take(self, reason: TokenReason) -> Credential:
        return await self._options.take(reason, self.presented)

    def present(self, credential: Credential, frame: Frame) -> None:
        self.presented = credential
        if self._connection:
            self._connection.send(frame)

    def leave(self, why: WardroomError) -> None:
        """The connection is gone, or has to go."""
        now = self._clock.now()
        if self._live_at is not None and now - self._live_at >= self._options.stable_ms:
            self._attempt = 0
        self._drop()
        self._again(why, "connect")

    def failed(self, why: WardroomError) -> None:
        self._handlers.on_failed(why)

    def authenticate(self) -> None:
        self._become("authenticating")
        if self._connection and self.presented:
            self._connection.send({"type": "auth", **credential_fields(self.presented)})

    def receive(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind == "auth_ok":
            self._accepted(frame)
        elif kind == "auth_expiring_soon":
            self._reauth.schedule(frame["refresh_after_ms"])
        elif kind == "auth_expired":
            self.token_expired()
        elif kind == "auth_error":
            self._reauth.refused(frame)
        elif kind in ("paused", "resumed"):
            self._is_paused = kind == "paused"
            self._settle()
        else:
            self._handlers.on_frame(frame)

    def _connect(self, reason: TokenReason) -> None:
        self._run += 1
        self._next = self._timer = None
        self._become("connecting")
        self._tasks.start(self._attempt_once(reason, self._run))

    async def _attempt_once(self, reason: TokenReason, run: int) -> None:
        try:
            credential = await self.take(reason)
        except Exception as raised:
            if run == self._run:
                self._again(to_wardroom_error(raised, "token_unavailable"), reason)
            return
        if run == self._run:
            self.presented = credential
            self._connection = Connection(self._options.connection, self)

    def _accepted(self, frame: Frame) -> None:
        is_new = self.state == "authenticating"
        self.auth = frame
        self._is_expired = False
        if is_new:
            self._is_fresh = True
            self._live_at = self._clock.now()
            if self._connection:
                self._connection.established()
        self._reauth.accepted(frame)
        started, self._started = self._started, None
        if started and not started.done():
            started.set_result(frame)
        self._settle()
        self._handlers.on_authenticated(frame, "connected" if is_new else "refreshed")

    def _settle(self) -> None:
        """Which of live and paused an authenticated connection is in."""
        if self._live_at is None:
            return
        if self._is_paused or self._is_expired:
            return self._become("paused")
        self._become("live")
        fresh, self._is_fresh = self._is_fresh, False
        self._handlers.on_ready(fresh)

    def _again(self, why: WardroomError, reason: TokenReason) -> None:
        plan = plan_reconnect(why, self._attempt, self._options.backoff)
        if plan is None:
            return self.end(why)
        if self._attempt >= self._options.max_attempts:
            return self.end(caused(WardroomError("gave_up"), why))
        now = self._clock.now()
        is_hurried = why.kind == "transport" and now - self._woke_at < AWAKE_MS
        delay_ms = min(plan.delay_ms, HURRIED_MS) if is_hurried else plan.delay_ms
        self._next = Next(
            "rejected" if plan.new_token else reason, now + (why.retry_after_ms or 0)
        )
        self._attempt += 1
        attempt = self._attempt
        self._become("waiting")
        self._handlers.on_lost(why)
        self._handlers.on_waiting(why, delay_ms, attempt)
        # A listener may have closed the client, or woken it.
        if self.state == "waiting" and self._timer is None:
            self._wait_for(delay_ms)

    def _wait_for(self, ms: float) -> None:
        if self._next is None:
            return
        reason = self._next.reason
        cancel(self._timer)
        self._timer = self._clock.call_later(ms, lambda: self._connect(reason))

    def _drop(self) -> None:
        self._run += 1
        cancel(self._timer)
        cancel(self._wake_timer)
        self._timer = self._next = None
        self._reauth.stop()
        connection, self._connection = self._connection, None
        if connection:
            connection.end()
        self.auth = None
        self._live_at = None
        self._is_paused = self._is_expired = False

    def _become(self, state: ConnectionState) -> None:
        previous, self.state = self.state, state
        if state != previous:
            self._say(f"{previous} -> {state}")
            self._handlers.on_state(state, previous)

    def _say(self, line: str) -> None:
        if self._options.connection.debug:
            self._options.connection.debug(line)
