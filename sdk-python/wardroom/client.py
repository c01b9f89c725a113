"""The client: one connection that is kept up and kept authenticated, and the rooms over it."""

from __future__ import annotations

import math
import random as random_module
import ssl
from types import TracebackType
from typing import Any, Callable, Literal, Union, cast

from .clock import Clock, SystemClock
from .connection.connection import ConnectionOptions
from .connection.keeper import ConnectionState, KeeperOptions
from .connection.plan_reconnect import Backoff
from .debug import DebugOption, read_debug
from .emitter import Listener, Stream
from .engine import CLIENT_EVENTS, ClientEvent, Engine, EngineOptions
from .errors import WardroomError
from .frames import AuthOk, Watching
from .listeners import ClientOn
from .rest.api import Api
from .rest.rest import Rest, RestOptions
from .room.room import Room
from .session.credential import GetToken, TakeToken, take_from_callback
from .session.grant import IssuedTokens
from .session.session import Session, SignedIn
from .session.storage import SessionStorage
from .types import Receipt
from .tasks import Tasks
from .urls import server_urls

#: `close` waits so long for what is under way.
CLOSE_MS = 2000


class Client:
    """Made anywhere, used in one event loop. `async with` closes it at its end."""

    def __init__(
        self,
        url: str,
        *,
        get_token: GetToken | None = None,
        session: Session | None = None,
        storage: SessionStorage | None = None,
        tls: ssl.SSLContext | None = None,
        connect_timeout_ms: float = 15_000,
        request_timeout_ms: float = 10_000,
        backoff_base_ms: float = 1000,
        backoff_max_ms: float = 30_000,
        stable_ms: float = 5000,
        max_attempts: int | None = None,
        pending_max: int = 1000,
        debug: DebugOption = None,
        clock: Clock | None = None,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        if [get_token, session, storage].count(None) < 2:
            raise ValueError("get_token, session and storage exclude each other")
        _positive("connect_timeout_ms", connect_timeout_ms)
        _positive("request_timeout_ms", request_timeout_ms)
        _positive("backoff_base_ms", backoff_base_ms)
        _positive("backoff_max_ms", backoff_max_ms)
        _positive("stable_ms", stable_ms)
        _positive("max_attempts", math.inf if max_attempts is None else max_attempts)
        _positive("pending_max", pending_max)
        urls = server_urls(url)
        time = clock or SystemClock()
        log = read_debug(debug)
        tasks = Tasks()
        self._own_session: Session | None = None
        take: TakeToken
        if get_token is not None:
            take = take_from_callback(get_token, tasks)
        else:
            if session is None:
                session = self._own_session = Session(
                    url,
                    storage=storage,
                    request_timeout_ms=request_timeout_ms,
                    tls=tls,
                    debug=debug,
                    clock=clock,
                )
            take = session.take
        self._session = session
        self._rest = Rest(RestOptions(urls.rest, tls, time, request_timeout_ms, log))
        keeper = KeeperOptions(
            ConnectionOptions(urls.socket, tls, tasks, time, connect_timeout_ms, log),
            take=take,
            hurry=session.hurry if session else lambda: None,
            backoff=Backoff(backoff_base_ms, backoff_max_ms, random),
            stable_ms=stable_ms,
            max_attempts=math.inf if max_attempts is None else max_attempts,
        )
        self._engine = Engine(EngineOptions(keeper, self._rest, session, pending_max))
        #: Calls a listener with each such event. Returns the function that takes it away.
        self.on: ClientOn = self._engine.events.on
        #: The REST calls of an application, typed.
        self.api = Api(self.rest)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def session(self) -> Session:
        """The session of this client; there is none when it was made with `get_token`."""
        if self._session is None:
            raise TypeError(
                "This client gets its tokens from get_token: sign in where they come from"
            )
        return self._session

    @property
    def state(self) -> ConnectionState:
        """Where the connection is: `idle`, `connecting`, `live`, ..."""
        return self._engine.keeper.state

    @property
    def paused_by(self) -> Literal["authority", "token"] | None:
        """Why the connection is paused: the node cannot prove that the rights it knows are current,
        or the access token has expired and a new one is on its way.
        """
        return self._engine.keeper.paused_by

    @property
    def auth(self) -> AuthOk | None:
        """The user that is connected: the last `auth_ok`, while the connection lasts."""
        return cast(Union[AuthOk, None], self._engine.keeper.auth)

    def off(self, name: ClientEvent, listener: Listener) -> None:
        """Takes a listener away."""
        self._engine.events.off(name, listener)

    async def once(self, name: ClientEvent) -> Any:
        """The next such event."""
        return await self._engine.events.once(name)

    def events(self, *names: ClientEvent) -> Stream[tuple[str, Any]]:
        """Name and event of everything that happens from this call on; without names of all events.
        The loop ends after the event `closed`.
        """
        events = self._engine.events
        stream = events.stream(names or CLIENT_EVENTS)
        end = stream.ender()
        stream.when_over(events.on("closed", lambda _: end(None)))
        return stream

    async def login(
        self, tenant: str, email: str, password: str, device: str | None = None
    ) -> SignedIn:
        """Signs the session of this client in."""
        return await self.session.login(tenant, email, password, device)

    async def register(
        self,
        tenant: str,
        email: str,
        password: str,
        name: str | None = None,
        device: str | None = None,
        invite: str | None = None,
    ) -> SignedIn:
        """Signs up, where the tenant allows it. `invite` is the code of an invitation, which counts
        also where registration is closed.
        """
        return await self.session.register(tenant, email, password, name, device, invite)

    async def guest(self, tenant: str, device: str | None = None) -> SignedIn:
        """Without an account, where the tenant allows it."""
        return await self.session.guest(tenant, device)

    async def exchange(self, tenant: str, id_token: str, device: str | None = None) -> SignedIn:
        """With the ID token of an external issuer."""
        return await self.session.exchange(tenant, id_token, device)

    async def adopt(self, tokens: IssuedTokens) -> SignedIn:
        """Takes over a session that was opened elsewhere."""
        return await self.session.adopt(tokens)

    async def logout(self) -> Receipt:
        """Ends the session on the server, forgets its tokens and closes the client."""
        return await self.session.logout()

    async def connect(self) -> AuthOk:
        """Returns at `auth_ok`; keeps trying while trouble is temporary, raises when the server
        says `login` or `stop`.
        """
        return cast(AuthOk, await self._engine.keeper.start())

    async def close(self) -> None:
        """Ends the connection, not the session. Pending requests fail; a later `connect` takes the
        rooms up again.
        """
        self._engine.keeper.end(WardroomError("closed"))
        await self._engine.tasks.ended(CLOSE_MS)
        await self._rest.close()
        if self._own_session:
            await self._own_session.close()

    async def ended(self) -> WardroomError:
        """Waits for the end of the client, and returns why: signed out, closed, gave up. Of a
        client that has ended it returns the last one.
        """
        why = self._engine.ended_by if self.state == "closed" else None
        return why or cast(WardroomError, await self.once("closed"))

    async def watch(self) -> Watching:
        """News of all rooms of the user, subscribed or not, also over later connections: the events
        `activity`, `rooms_changed` and `read`. Returns how many rooms are watched.
        """
        return cast(Watching, await self._engine.watch.start())

    def wake(self) -> None:
        """The machine woke up, or the network is back: the client is live again within 3 s."""
        self._engine.keeper.wake()

    def room(self, id_or_slug: str) -> Room:
        """Always the same object for the same id or slug."""
        return self._engine.room(id_or_slug)

    async def rest(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """Calls REST as the user; refused with `refresh`, once more with a newer token."""
        return await self._engine.caller.call(path, method, body)


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name}: {value} is not a positive number")
