"""The Python client under a script: real sockets, real HTTP, and a clock that stands."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any, Mapping

from wardroom import Client, MemoryStorage, Session, WardroomError
from wardroom.engine import CLIENT_EVENTS
from wardroom.room.room import ROOM_EVENTS
from wardroom.session.with_lock import loop_locks

from .manual_clock import ManualClock
from .server import Peer, Request, ScriptedServer

#: The mark of `nothing`: an error that belongs to no request.
MARK = "a mark of the script"
#: Turns of the event loop in which a call reaches its socket, or a frame its listener.
TURNS = 50


class BrokenStorage(MemoryStorage):
    def set(self, value: str) -> None:
        raise OSError("the storage is full")


class Driver:
    def __init__(self, options: Mapping[str, Any]) -> None:
        self.clock = ManualClock()
        self.server = ScriptedServer()
        self.asked: list[str] = []
        self.results: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self.events: dict[tuple[str, str], asyncio.Queue[Any]] = defaultdict(asyncio.Queue)
        self.peer: Peer | None = None
        self.request: Request | None = None
        self.lock_is_held = False
        self.storage_is_broken = False
        self._options = options
        self._client: Client | None = None
        self._heard: set[str] = set()
        self._marks: asyncio.Queue[None] = asyncio.Queue()

    async def stop(self) -> None:
        await self.server.stop()
        for result in self.results.values():
            result.cancel()
        if self._client:
            await self._client.close()
            if self._options.get("tokens") == "session":
                await self._client.session.close()

    @property
    def client(self) -> Client:
        """Made by the first step that needs it."""
        if self._client is None:
            tokens = self._options.get("tokens", "callback")
            self._client = client = Client(
                self.server.url,
                clock=self.clock,
                random=lambda: 0.5,
                debug=True,
                max_attempts=self._options.get("max_attempts"),
                session=self._session() if tokens == "session" else None,
                get_token=None if tokens == "session" else self._token,
            )
            on: Any = client.on
            for name in CLIENT_EVENTS:
                on(name, self._noter(name, ""))
        return self._client

    def call(self, what: str, room: str | None, args: dict[str, Any], name: str | None) -> None:
        """Starts a call of the client; `name` is that of its result."""
        run = self._call_room(what, room, args) if room else self._call_client(what, args)

        async def result() -> dict[str, Any]:
            try:
                value = await run
            except WardroomError as error:
                return {"error": _fields(error)}
            return {"ok": {} if value is None else value}

        self.results[name or what] = asyncio.get_running_loop().create_task(result())

    async def rested(self) -> None:
        """Everything that needs no frame of the server has happened."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def settled(self) -> None:
        """Everything the server sent was handled."""
        await self.rested()
        if self.peer and self.client.state in ("live", "paused"):
            mark = {"type": "error", "code": "internal", "action": "retry", "message": MARK}
            self.peer.send(mark)
            await self._marks.get()
            await self.rested()

    async def _call_client(self, what: str, args: dict[str, Any]) -> Any:
        if what == "wake":
            return self.client.wake()
        return await getattr(self.client, what)(**args)

    async def _call_room(self, what: str, ref: str, args: dict[str, Any]) -> Any:
        room = self.client.room(ref)
        if ref not in self._heard:
            self._heard.add(ref)
            on: Any = room.on
            for name in ROOM_EVENTS:
                on(name, self._noter(name, ref))
        return await getattr(room, what)(**args)

    def _noter(self, name: str, room: str) -> Any:
        def note(event: Any) -> None:
            if isinstance(event, WardroomError) and event.message == MARK:
                return self._marks.put_nowait(None)
            # Scripts look at these events of rooms by other means, or not at all.
            if room and name in ("subscribed", "access"):
                return
            self.events[room, name].put_nowait(_fields(event))

        return note

    def _token(self, reason: str) -> Any:
        self.asked.append(reason)
        count = len(self.asked)
        is_ticket = self._options.get("tokens") == "tickets"
        return {"ticket": f"ticket-{count}"} if is_ticket else f"token-{count}"

    def _session(self) -> Session:
        class Held:
            async def acquire(self) -> bool:
                return bool(await asyncio.get_running_loop().create_future())

            def release(self) -> None:
                raise AssertionError("it was never got")

        return Session(
            self.server.url,
            clock=self.clock,
            storage=BrokenStorage() if self.storage_is_broken else None,
            debug=True,
            locks=(lambda _: Held()) if self.lock_is_held else loop_locks,
        )


def _fields(event: Any) -> Any:
    """An event or error as scripts name its fields."""
    if isinstance(event, WardroomError):
        names = "code action kind message status retry_after_ms decision_id op_id".split()
        errors = [error._asdict() for error in event.errors]
        return {**{name: getattr(event, name) for name in names}, "errors": errors}
    if not hasattr(event, "_asdict"):
        return event
    fields = {name: _fields(value) for name, value in event._asdict().items()}
    if "why" in fields:
        fields.update(fields.pop("why"))
    if "start" in fields:
        fields = {"from": fields["start"], "to": fields["end"]}
    return fields
