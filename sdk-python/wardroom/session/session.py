from __future__ import annotations

import asyncio
import ssl
import uuid
from typing import Any, Awaitable, Callable, Literal, NamedTuple, TypedDict

from ..clock import Clock, SystemClock
from ..debug import DebugOption, read_debug
from ..emitter import Emitter, Listener
from ..errors import WardroomError, to_wardroom_error
from ..rest.rest import Abort, Rest, RestOptions
from ..types import Receipt
from ..tasks import Tasks, shared
from ..urls import server_urls
from .credential import Credential, TokenReason
from .grant import Grant, IssuedTokens, dump_grant, parse_grant, to_grant
from .storage import MemoryStorage, SessionStorage, SurvivingStorage
from .with_lock import Locks, loop_locks, with_lock

SessionEvent = Literal["signed_in", "signed_out", "storage_failed"]
_EVENTS = ("signed_in", "signed_out", "storage_failed")


class SignedIn(TypedDict):
    session_id: str


class StorageFailed(NamedTuple):
    cause: Exception


class Session:
    """One signed-in device: keeps the tokens, and refreshes them when they are asked for after
    their `refresh_after_ms`. One refresh at a time.
    """

    def __init__(
        self,
        url: str,
        *,
        storage: SessionStorage | None = None,
        request_timeout_ms: float = 10_000,
        tls: ssl.SSLContext | None = None,
        debug: DebugOption = None,
        clock: Clock | None = None,
        locks: Locks = loop_locks,
    ) -> None:
        self._clock = clock or SystemClock()
        base = server_urls(url).rest
        options = RestOptions(base, tls, self._clock, request_timeout_ms, read_debug(debug))
        self._rest = Rest(options)
        self._tasks = Tasks()
        self._events = Emitter(_EVENTS, self._tasks)
        given = storage or MemoryStorage()
        self._storage = SurvivingStorage(
            given, lambda cause: self._events.emit("storage_failed", StorageFailed(cause))
        )
        self._locks = locks
        self._lock_name = f"wardroom:{given.name or uuid.uuid4()}"
        self._grant: Grant | None = None
        self._refreshing: asyncio.Task[Grant] | None = None
        # While a logout is under way.
        self._leaving: WardroomError | None = None
        self._refresh_call: Abort | None = None

    @property
    def session_id(self) -> str | None:
        """Known after signing in, or after the first token was read from the storage."""
        return self._grant.session_id if self._grant else None

    def on(self, name: SessionEvent, listener: Listener) -> Callable[[], None]:
        """Calls a listener with each such event. Returns the function that takes it away."""
        return self._events.on(name, listener)

    def off(self, name: SessionEvent, listener: Listener) -> None:
        self._events.off(name, listener)

    async def login(
        self, tenant: str, email: str, password: str, device: str | None = None
    ) -> SignedIn:
        """Signs in with a password."""
        fields = {"tenant": tenant, "email": email, "password": password, "device": device}
        return await self._enter("login", fields)

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
        fields = {"tenant": tenant, "email": email, "password": password, "name": name}
        return await self._enter("register", {**fields, "invite": invite, "device": device})

    async def guest(self, tenant: str, device: str | None = None) -> SignedIn:
        """Without an account, where the tenant allows it: a guest reads public rooms."""
        return await self._enter("guest", {"tenant": tenant, "device": device})

    async def exchange(self, tenant: str, id_token: str, device: str | None = None) -> SignedIn:
        """Signs in with the ID token of an external issuer."""
        fields = {"tenant": tenant, "id_token": id_token, "device": device}
        return await self._enter("exchange", fields)

    async def adopt(self, tokens: IssuedTokens) -> SignedIn:
        """Takes over a session that was opened elsewhere, for example by your own backend."""

        async def given() -> IssuedTokens:
            return tokens

        return await self._signed_in(given)

    async def forgot_password(self, tenant: str, email: str) -> None:
        """Lets the server mail a link for a new password, if there is such a user."""
        body = {"tenant": tenant, "email": email}
        await self._rest.call("/v1/auth/password/forgot", "POST", body)

    async def reset_password(self, token: str, new: str) -> Receipt:
        """Sets a new password with the token of such a link; ends all sessions of the user."""
        body = {"token": token, "new": new}
        receipt: Receipt = await self._rest.call("/v1/auth/password/reset", "POST", body)
        return receipt

    async def logout(self, scope: Literal["session", "others", "all"] = "session") -> Receipt:
        """Returns the server's receipt. If the server cannot be reached nothing is forgotten, so it
        can be tried again.
        """
        if scope != "others":
            self._leaving = WardroomError("signed_out")
        try:
            receipt: Receipt = await self.call("/v1/auth/logout", "POST", {"scope": scope})
            if self._leaving:
                self.end(self._leaving)
            return receipt
        finally:
            self._leaving = None

    def reason_of(self, why: WardroomError) -> WardroomError:
        """The reason for which the session is over: a logout of its own, even where a connection
        hears of its end before the logout is answered.
        """
        return self._leaving or why

    async def access_token(self, stale: str | None = None) -> str:
        """An access token before its refresh time that is not `stale` (a token that was refused, or
        is to be replaced). While the server is away, a token that still lives is better than none.
        Raises `signed_out` when there is no session.
        """
        return (await self._current(lambda grant: grant.access_token == stale)).access_token

    async def take(self, reason: TokenReason, presented: Credential | None) -> Credential:
        """For a connection."""
        stale = presented if reason != "connect" and isinstance(presented, str) else None
        return await self.access_token(stale)

    async def call(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """Calls REST; refused with `refresh`, once more with a newer token."""
        grant = await self._current()
        try:
            return await self._call_with(grant, path, method, body)
        except WardroomError as error:
            if error.action != "refresh":
                raise
        newer = await self._current(lambda now: now.access_token == grant.access_token)
        return await self._call_with(newer, path, method, body)

    def hurry(self) -> None:
        """Gives up a refresh that is under way: its network may be gone. The next asks again."""
        if self._refresh_call:
            self._refresh_call()

    def end(self, why: WardroomError) -> None:
        """Forgets the tokens, unless the storage already belongs to another session. The server is
        not told.
        """
        why = self.reason_of(why)
        mine, self._grant = self._grant, None
        if mine is None:
            return
        stored = self._read()
        if stored and stored.session_id == mine.session_id:
            self._storage.write(None)
        self._events.emit("signed_out", why)

    async def close(self) -> None:
        """Closes the connections for REST, not the session. A later call opens them anew."""
        await self._tasks.ended(within_ms=2000)
        await self._rest.close()

    async def _enter(self, way: str, fields: dict[str, str | None]) -> SignedIn:
        body = {name: value for name, value in fields.items() if value is not None}
        return await self._signed_in(lambda: self._rest.call(f"/v1/auth/{way}", "POST", body))

    async def _signed_in(self, open: Callable[[], Awaitable[Any]]) -> SignedIn:
        async def run() -> Grant:
            return self._keep(await open())

        grant = await self._locked(run)
        signed_in: SignedIn = {"session_id": grant.session_id}
        self._events.emit("signed_in", signed_in)
        return signed_in

    async def _current(self, is_stale: Callable[[Grant], bool] = lambda _: False) -> Grant:
        grant = self._grant or self._read()
        if grant is None:
            raise WardroomError("signed_out")
        self._grant = grant
        is_usable = not is_stale(grant)
        if is_usable and self._clock.now() < grant.refresh_at:
            return grant
        try:
            return await self._refreshed(grant)
        except WardroomError as error:
            if is_usable and not _is_over(error) and self._clock.now() < grant.expires_at:
                return grant
            raise

    async def _refreshed(self, known: Grant) -> Grant:
        """A caller that is cancelled leaves the refresh going: its token is needed later."""
        if self._refreshing is None:

            async def run() -> Grant:
                try:
                    return await self._locked(lambda: self._refresh_locked(known))
                finally:
                    self._refreshing = None

            self._refreshing = self._tasks.share(run())
        return await shared(self._refreshing)

    async def _locked(self, run: Callable[[], Awaitable[Grant]]) -> Grant:
        return await with_lock(self._locks(self._lock_name), run, self._clock)

    async def _refresh_locked(self, known: Grant) -> Grant:
        # A login came first.
        if self._grant and self._grant != known:
            return self._grant
        stored = self._read()
        if stored is None:
            raise self._over(WardroomError("signed_out"))
        if stored.session_id != known.session_id:
            raise self._over(WardroomError("session_replaced"))
        if stored.access_token != known.access_token and self._clock.now() < stored.refresh_at:
            self._grant = stored
            return stored
        call = self._refresh_call = Abort()
        body = {"refresh_token": stored.refresh_token}
        try:
            return self._keep(
                await self._rest.call("/v1/auth/refresh", "POST", body, abort=call)
            )
        except WardroomError as error:
            raise self._over(error) if _is_over(error) else error
        finally:
            if self._refresh_call is call:
                self._refresh_call = None

    async def _call_with(self, grant: Grant, path: str, method: str, body: Any) -> Any:
        try:
            return await self._rest.call(path, method, body, token=grant.access_token)
        except WardroomError as error:
            # Somebody else may have signed in meanwhile.
            if _is_over(error) and self.session_id == grant.session_id:
                self.end(error)
            raise

    def _over(self, why: WardroomError) -> WardroomError:
        self.end(why)
        return why

    def _keep(self, answer: Any) -> Grant:
        try:
            grant = to_grant(answer, self._clock.now())
        except (KeyError, TypeError) as raised:
            raise to_wardroom_error(raised, "bad_answer") from raised
        self._grant = grant
        self._storage.write(dump_grant(grant))
        return grant

    def _read(self) -> Grant | None:
        return parse_grant(self._storage.read())


def _is_over(error: WardroomError) -> bool:
    """The session has ended, whatever is tried."""
    return error.action in ("login", "stop")
