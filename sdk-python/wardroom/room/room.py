from __future__ import annotations

import json
import uuid
from typing import Any, AsyncIterator, Callable, Literal, Mapping, Protocol, cast, get_args

from ..connection.connection import Frame
from ..connection.requests import Delivery
from ..emitter import Emitter, Listener, Stream
from ..errors import WardroomError
from ..frames import Ack, Message, Presence, Right, Role, Subscribed
from ..json_text import json_text
from ..rest.api import part, with_query
from ..types import MessagePage
from .listeners import RoomOn
from .subscription import Subscription, SubscriptionPort, Unsubscribed

RoomEvent = Literal[
    "message",
    "message_edited",
    "message_deleted",
    "reaction",
    "pinned",
    "signal",
    "typing",
    "read",
    "presence",
    "member",
    "access",
    "subscribed",
    "unsubscribed",
    "gap",
    "reset",
]
ROOM_EVENTS: tuple[str, ...] = get_args(RoomEvent)

#: `body` of publish, edit and signal as JSON text.
BODY_BYTES_MAX = 32 * 1024


class RoomPort(SubscriptionPort, Protocol):
    async def rest(self, path: str) -> Any: ...

    def on_end(self, listener: Callable[[WardroomError], None]) -> Callable[[], None]:
        """The client is closed, before the rooms hear of it."""
        ...


class Room:
    """One room as an object. It outlives connections: a subscription and its position are taken
    along.
    """

    def __init__(
        self, ref: str, events: Emitter, subscription: Subscription, port: RoomPort
    ) -> None:
        #: Id or slug, as it was asked for.
        self.ref = ref
        self._events = events
        self._subscription = subscription
        self._port = port
        #: Calls a listener with each such event. Returns the function that takes it away.
        self.on: RoomOn = events.on

    @property
    def id(self) -> str | None:
        """Known once the server has answered `subscribed`."""
        return self._subscription.id

    @property
    def subscribed(self) -> bool:
        """Events of the room arrive, or will over the next connection."""
        return self._subscription.is_active

    @property
    def seq(self) -> int | None:
        """Last durable event seen, to be kept with `epoch` for a later `subscribe`."""
        return self._subscription.seq

    @property
    def epoch(self) -> str | None:
        """Which past of the room `seq` belongs to: a server that lost events has another."""
        return self._subscription.epoch

    @property
    def role(self) -> Role | None:
        """The user's role in it; None for a reader who is no member."""
        return self._subscription.role

    @property
    def can(self) -> tuple[Right, ...]:
        """The rights of the user in it."""
        return self._subscription.can

    def off(self, name: RoomEvent, listener: Listener) -> None:
        """Takes a listener away."""
        self._events.off(name, listener)

    async def once(self, name: RoomEvent) -> Any:
        """The next such event."""
        return await self._events.once(name)

    def events(self, *names: RoomEvent) -> Stream[tuple[str, Any]]:
        """Name and event of everything that happens from this call on; without names of all events.
        The loop ends with the subscription: by `unsubscribe` and `close` without an error, else it
        raises why.
        """
        stream = self._events.stream(names or ROOM_EVENTS)
        end = stream.ender()
        stream.when_over(self._events.on("unsubscribed", lambda why: end(_end(why))))
        stream.when_over(self._port.on_end(lambda why: end(_end(why))))
        return stream

    async def messages(self) -> AsyncIterator[Message]:
        """Subscribes, and hands out new messages until the subscription ends, as `events` does."""
        stream = self.events("message")
        try:
            await self.subscribe()
            try:
                async for _, message in stream:
                    yield message
            finally:
                if self.subscribed:
                    await self.unsubscribe()
        finally:
            stream.end()

    async def subscribe(self, since: int | None = None, epoch: str | None = None) -> Subscribed:
        """From now on, or from the event after `since`, if it is of the same `epoch`. Raises when
        refused. Counted: as many `unsubscribe` end it.
        """
        return cast(Subscribed, await self._subscription.open(since, epoch))

    async def unsubscribe(self) -> None:
        """Takes one `subscribe` back; the last one ends the events."""
        await self._subscription.close()

    async def publish(
        self,
        body: Any,
        *,
        kind: str | None = None,
        op_id: str | None = None,
        reply_to: str | None = None,
        mentions: list[str] | Literal["room"] | None = None,
    ) -> Ack:
        """Returns after the commit. Survives reconnects under one `op_id`, so it has one effect."""
        op_id = op_id or str(uuid.uuid4())
        optional = {"kind": kind, "reply_to": reply_to, "mentions": mentions}
        op = {"op_id": op_id, "body": _fitting(body, op_id)}
        op.update({name: value for name, value in optional.items() if value is not None})
        return cast(Ack, await self._ask("publish", op, "until_answered", op_id))

    async def edit(self, message_id: str, body: Any, *, op_id: str | None = None) -> Ack:
        """Survives reconnects like a publish."""
        op_id = op_id or str(uuid.uuid4())
        edit = {"message_id": message_id, "op_id": op_id, "body": _fitting(body, op_id)}
        return cast(Ack, await self._ask("edit", edit, "until_answered", op_id))

    async def delete(self, message_id: str) -> Ack:
        """Waits for a connection, but is not repeated: raised `connection_lost`, its outcome is
        unknown.
        """
        return cast(Ack, await self._ask("delete", {"message_id": message_id}, "once"))

    async def react(self, message_id: str, emoji: str, on: bool = True) -> Ack:
        """Adds a reaction, or takes it away. Sent again after a loss."""
        fields = {"message_id": message_id, "emoji": emoji, "on": on}
        return cast(Ack, await self._ask("react", fields, "until_answered"))

    async def signal(self, kind: str, body: Any) -> None:
        """To the users that are there now. Never waits and never repeats; without a live connection
        it raises.
        """
        await self._ask("signal", {"kind": kind, "body": _fitting(body)}, "now")

    def typing(self, on: bool = True) -> None:
        """Has no answer; without a live connection nothing happens."""
        if self._port.is_live:
            self._port.tell({"type": "typing", "room": self.ref, "on": on})

    async def read(self, seq: int | None = None) -> None:
        """Marks everything up to `seq` as read; default: all that was seen."""
        await self._ask("read", {"seq": (self.seq or 0) if seq is None else seq}, "until_answered")

    async def presence(self) -> Presence:
        """The users that are present now; later changes are the event `presence`."""
        return cast(Presence, await self._ask("presence", {}, "until_answered"))

    async def history(
        self,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        thread: str | None = None,
    ) -> MessagePage:
        """A page of stored messages, through REST; `before` and `after` are seqs, themselves
        excluded. After a `gap`: `after=gap.start - 1, before=gap.end + 1`. `thread` is the id of a
        message: only replies to it.
        """
        query = {"before": before, "after": after, "limit": limit, "cursor": cursor}
        path = f"/v1/rooms/{part(self.ref)}/messages"
        page: MessagePage = await self._port.rest(with_query(path, {**query, "thread": thread}))
        return page

    async def _ask(
        self, type: str, fields: Mapping[str, Any], delivery: Delivery, op_id: str | None = None
    ) -> Frame:
        def frame(id: str) -> Frame:
            return {"type": type, "id": id, "room": self.ref, **fields}

        return await self._port.ask(frame, delivery, op_id=op_id)


def _fitting(body: Any, op_id: str | None = None) -> Any:
    """A copy, because the body may be sent again later and must then still be the same. A body that
    is too big is refused here: as a frame it could cost the connection.
    """
    text = json_text(body)
    if len(text.encode()) > BODY_BYTES_MAX:
        raise WardroomError("too_big", message="The body is too big.", op_id=op_id)
    return json.loads(text)


def _end(why: WardroomError | Unsubscribed) -> WardroomError | None:
    """Why a loop over events ends; None: the application ended it."""
    if why.code in ("client", "closed"):
        return None
    return why if isinstance(why, WardroomError) else WardroomError(why.code, action=why.action)
