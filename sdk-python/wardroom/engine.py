from __future__ import annotations

import asyncio
from typing import Any, Callable, Literal, NamedTuple, get_args

from .clock import Clock
from .connection.connection import Frame
from .connection.keeper import ConnectionKeeper, ConnectionState, KeeperOptions
from .connection.requests import Delivery, Requests
from .emitter import Emitter
from .errors import WardroomError, error_from_wire
from .listeners import StateChange, Waiting
from .rest.rest import Caller, Rest
from .rest.token_caller import TokenCaller
from .room.room import ROOM_EVENTS, Room
from .room.subscription import Subscription
from .session.credential import Credential, TokenReason
from .session.session import Session
from .tasks import Tasks
from .watch import Watch

ClientEvent = Literal[
    "state",
    "connected",
    "refreshed",
    "waiting",
    "signed_out",
    "closed",
    "activity",
    "rooms_changed",
    "read",
    "error",
]
CLIENT_EVENTS: tuple[str, ...] = get_args(ClientEvent)


class EngineOptions(NamedTuple):
    keeper: KeeperOptions
    rest: Rest
    session: Session | None
    pending_max: int


class Engine:
    """Leads frames from the connection to requests, rooms and listeners, and back."""

    def __init__(self, options: EngineOptions) -> None:
        self.tasks: Tasks = options.keeper.connection.tasks
        self.events = Emitter(CLIENT_EVENTS, self.tasks)
        self.keeper = ConnectionKeeper(options.keeper, self)
        clock: Clock = options.keeper.connection.clock
        self._requests = Requests(self, clock, options.keeper.backoff, options.pending_max)
        self.watch = Watch(self.ask, self.tasks)
        self._session = options.session
        self._take = options.keeper.take
        self.caller: Caller = options.session or TokenCaller(
            options.rest, self._take_cheaply, self._signed_out
        )
        if options.session:
            options.session.on("signed_out", self._signed_out)
        self._rooms: dict[str, tuple[Room, Subscription]] = {}
        self._subscriptions: dict[str, list[Subscription]] = {}
        self._end_listeners: list[Callable[[WardroomError], None]] = []
        # The user of the last connection, until they are signed out.
        self._me: str | None = None
        #: Why the client ended last.
        self.ended_by: WardroomError | None = None
        # Nobody hears of one end twice.
        self._told: WardroomError | None = None

    @property
    def is_live(self) -> bool:
        return self.keeper.state == "live"

    def room(self, ref: str) -> Room:
        """Always the same object for the same id or slug; an id also finds the room that was
        subscribed by its slug.
        """
        if ref in self._rooms:
            return self._rooms[ref][0]
        for room, _ in self._rooms.values():
            if room.id == ref:
                return room
        events = Emitter(ROOM_EVENTS, self.tasks)
        subscription = Subscription(ref, events, self, self.tasks)
        room = Room(ref, events, subscription, self)
        self._rooms[ref] = (room, subscription)
        return room

    def ask(
        self,
        frame: Callable[[str], Frame],
        delivery: Delivery,
        *,
        on_answer: Callable[[Frame], None] | None = None,
        op_id: str | None = None,
        own: bool = False,
    ) -> asyncio.Future[Frame]:
        if self.keeper.state == "closed":
            refused: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
            refused.set_exception(WardroomError("closed", op_id=op_id))
            return refused
        return self._requests.ask(frame, delivery, on_answer=on_answer, op_id=op_id, own=own)

    def tell(self, frame: Frame) -> None:
        if self.is_live:
            self.keeper.tell(frame)

    def named(self, id: str, subscription: Subscription) -> None:
        of_room = self._subscriptions.setdefault(id, [])
        if subscription not in of_room:
            of_room.append(subscription)

    async def rest(self, path: str) -> Any:
        return await self.caller.call(path)

    def on_end(self, listener: Callable[[WardroomError], None]) -> Callable[[], None]:
        self._end_listeners.append(listener)
        return lambda: self._end_listeners.remove(listener)

    def send_request(self, frame: Frame) -> None:
        self.keeper.send_request(frame)

    def token_expired(self) -> None:
        self.keeper.token_expired()

    def on_state(self, state: ConnectionState, previous: ConnectionState) -> None:
        self.events.emit("state", StateChange(state, previous))

    def on_authenticated(self, frame: Frame, how: Literal["connected", "refreshed"]) -> None:
        self._me = frame["user_id"]
        self.events.emit(how, frame)

    def on_ready(self, fresh: bool) -> None:
        if fresh:
            self.watch.resume()
            for _, subscription in self._rooms.values():
                subscription.resume()
        self._requests.flush()

    def on_frame(self, frame: Frame) -> None:
        if self._requests.answer(frame):
            return
        kind = frame["type"]
        if kind in ("activity", "rooms_changed"):
            return self.events.emit(kind, frame)
        if kind == "error":
            return self.events.emit("error", error_from_wire(frame))
        for subscription in tuple(self._subscriptions.get(frame.get("room", ""), ())):
            subscription.receive(frame)
        if kind == "read" and frame["sender"] == self._me:
            self.events.emit("read", frame)

    def on_lost(self, why: WardroomError) -> None:
        self._requests.lost(why)

    def on_waiting(self, why: WardroomError, delay_ms: float, attempt: int) -> None:
        self.events.emit("waiting", Waiting(why, delay_ms, attempt))

    def on_failed(self, why: WardroomError) -> None:
        self.events.emit("error", why)

    def on_ended(self, why: WardroomError) -> None:
        if self._session and why.action == "login":
            why = self._session.reason_of(why)
        self.ended_by = why
        self._requests.end(why)
        for listener in tuple(self._end_listeners):
            listener(why)
        if why.action in ("login", "stop"):
            self._me = None
            self.watch.stop()
            for _, subscription in self._rooms.values():
                subscription.forget(why)
        if why.action == "login":
            if self._session:
                self._session.end(why)
            self._tell(why)
        self.events.emit("closed", why)

    async def _take_cheaply(self, reason: TokenReason, presented: Credential | None) -> Credential:
        """The token of the living connection is good enough; the application's may be costly."""
        token = self.keeper.token if reason == "connect" else None
        return token or await self._take(reason, presented)

    def _signed_out(self, why: WardroomError) -> None:
        """Learned from REST or from the session; the connection ends with it."""
        if self.keeper.state == "closed":
            self._tell(why)
        else:
            self.keeper.end(why)

    def _tell(self, why: WardroomError) -> None:
        if why is not self._told and why.action == "login":
            self._told = why
            self.events.emit("signed_out", why)
