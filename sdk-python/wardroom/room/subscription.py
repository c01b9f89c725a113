from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Callable, Mapping, NamedTuple, Protocol

from ..connection.connection import Frame
from ..connection.requests import Delivery
from ..emitter import Emitter
from ..errors import Action, WardroomError
from ..frames import Right, Role
from ..tasks import Tasks, shared

DURABLE = ("message", "message_edited", "message_deleted", "reaction", "pinned")
_PASSED_ON = ("signal", "typing", "read", "presence", "member")


class Gap(NamedTuple):
    """Events `start` to `end`, both included, were not delivered and will not be: page the history
    for what they changed.
    """

    start: int
    end: int


class Reset(NamedTuple):
    """The room has another past than the one that was followed: its server lost events, and their
    numbers are given again. Forget everything from `lost.start` on; the events stored instead
    follow, as events or as a `gap`. None: nothing that was seen is lost.
    """

    epoch: str
    lost: Gap | None


class Unsubscribed(NamedTuple):
    """The subscription ended. `code` is one of the protocol, or why a new subscription was refused
    after a reconnect.
    """

    code: str
    action: Action


class SubscriptionPort(Protocol):
    @property
    def is_live(self) -> bool: ...

    def ask(
        self,
        frame: Callable[[str], Frame],
        delivery: Delivery,
        *,
        on_answer: Callable[[Frame], None] | None = None,
        op_id: str | None = None,
        own: bool = False,
    ) -> asyncio.Future[Frame]: ...

    def tell(self, frame: Frame) -> None:
        """Without an answer; dropped when there is no live connection."""
        ...

    def named(self, id: str, subscription: Subscription) -> None:
        """The slug turned out to be this id."""
        ...


class Subscription:
    """Follows one room over any number of connections: no duplicate, no silent gap."""

    def __init__(self, ref: str, events: Emitter, port: SubscriptionPort, tasks: Tasks) -> None:
        self._ref = ref
        self._events = events
        self._port = port
        self._tasks = tasks
        #: Last durable event seen.
        self.seq: int | None = None
        #: Which past of the room `seq` belongs to.
        self.epoch: str | None = None
        self.role: Role | None = None
        self.can: tuple[Right, ...] = ()
        self.id: str | None = None
        # The application wants it, and the server has said yes once.
        self._is_attached = False
        self._is_wanted = False
        # Callers that subscribed and have not unsubscribed.
        self._users = 0
        self._opening: asyncio.Task[Frame] | None = None
        self._last: Frame | None = None
        self._is_resuming = False
        # A repair from here did not bring the next event.
        self._unrepairable: int | None = None

    @property
    def is_active(self) -> bool:
        return self._is_attached and self._is_wanted

    async def open(self, since: int | None, epoch: str | None) -> Frame:
        """Of callers that do not care where to start, only the first one asks the server."""
        self._users += 1
        opening = self._opening
        if since is None and self.is_active and self._last:
            state = {"role": self.role, "can": list(self.can), "seq": self.seq}
            return {**self._last, **state, "epoch": self.epoch, "replayed": 0}
        if since is not None or self._users == 1 or opening is None:
            self._is_wanted = True
            opening = self._opening = self._tasks.share(self._ask(since, epoch))
            opening.add_done_callback(self._opening_ended)
        try:
            return await shared(opening)
        except asyncio.CancelledError:
            self._give_up()
            raise

    async def _ask(self, since: int | None, epoch: str | None) -> Frame:
        def opened(answer: Frame) -> None:
            """The application asked; it also decides where to start."""
            self.seq = answer["seq"] if since is None else since
            self._unrepairable = None
            self._resumed(answer)

        fields = {"room": self._ref, **_position(since, epoch)}
        return await self._port.ask(
            lambda id: {"type": "subscribe", "id": id, **fields},
            "until_answered",
            on_answer=opened,
        )

    def _opening_ended(self, opening: asyncio.Task[Frame]) -> None:
        if self._opening is opening:
            self._opening = None
        if opening.cancelled() or opening.exception():
            self._users = max(0, self._users - 1) if self._is_attached else 0

    def _give_up(self) -> None:
        """The caller of `open` was cancelled."""
        self._users = max(0, self._users - 1)
        if self._users > 0:
            return
        self._is_wanted = False
        if self._is_attached:
            self._port.tell({"type": "unsubscribe", "room": self.id or self._ref})
            self._detach(Unsubscribed("client", "none"))

    async def close(self) -> None:
        """The last of those who opened it ends it."""
        if self._users > 1:
            self._users -= 1
            return
        self._users = 0
        self._is_wanted = False
        room = self._ref
        answered = self._port.ask(
            lambda id: {"type": "unsubscribe", "id": id, "room": room}, "once", own=True
        )
        if self._port.is_live:
            try:
                await answered
            except WardroomError:
                # Without its connection a subscription is over as well.
                if self._port.is_live:
                    raise
        else:
            self._tasks.start(_ignored(answered))
        if not self._is_wanted and self._is_attached:
            self._detach(Unsubscribed("client", "none"))

    def resume(self, repair: bool = False) -> None:
        """Over a new connection, or to repair a gap: from the last event seen, as it stands when
        the frame is sent.
        """
        if self.is_active and not self._is_resuming:
            self._is_resuming = True
            self._tasks.start(self._resume(self._resuming(repair)))

    def _resuming(self, repair: bool) -> asyncio.Future[Frame]:
        since = self.seq

        def frame(id: str) -> Frame:
            nonlocal since
            since = self.seq
            position = _position(self.seq, self.epoch)
            return {"type": "subscribe", "id": id, "room": self.id or self._ref, **position}

        def answered(answer: Frame) -> None:
            self._is_resuming = False
            self._unrepairable = since if repair else None
            self._resumed(answer)

        return self._port.ask(frame, "until_answered", on_answer=answered, own=True)

    async def _resume(self, answered: asyncio.Future[Frame]) -> None:
        try:
            await answered
        except WardroomError as error:
            self._is_resuming = False
            # Closed by the application: `connect` takes the room up again.
            if self.is_active and error.code not in ("closed", "gave_up"):
                self._detach(Unsubscribed(error.code, error.action))

    def receive(self, frame: Frame) -> None:
        """Everything of this room that answers no request."""
        if not self.is_active:
            return
        kind = frame["type"]
        if kind == "unsubscribed":
            self._detach(Unsubscribed(frame["code"], frame["action"]))
        elif kind in DURABLE:
            self._follow(frame)
        elif kind == "reset":
            self._start_anew(frame)
        elif kind == "access":
            self.role, self.can = frame["role"], tuple(frame["can"])
            self._events.emit("access", frame)
        elif kind in _PASSED_ON:
            self._events.emit(kind, frame)

    def forget(self, why: WardroomError) -> None:
        """Somebody else may sign in next: nothing is taken along."""
        if self.is_active:
            self._detach(Unsubscribed(why.code, why.action))
        self._is_wanted = False
        self._users = 0
        self.seq = self.epoch = None

    def _follow(self, frame: Frame) -> None:
        seq: int = frame["seq"]
        if self.seq is not None and seq <= self.seq:
            return
        if self.seq is not None and seq > self.seq + 1:
            # Events dropped here come again after the missing ones.
            if self._unrepairable != self.seq:
                return self.resume(repair=True)
            self._events.emit("gap", Gap(self.seq + 1, seq - 1))
        self.seq = seq
        self._events.emit(frame["type"], frame)

    def _start_anew(self, frame: Frame) -> None:
        """The next events begin after `seq` of the frame; those before it are a gap."""
        seq: int = frame["seq"]
        lost = _gap(frame.get("lost"))
        seen = seq if self.seq is None else self.seq
        kept = seen if lost is None else min(seen, lost.start - 1)
        self.epoch = frame["epoch"]
        self.seq = seq
        self._unrepairable = None
        self._events.emit("reset", Reset(frame["epoch"], lost))
        if kept < seq:
            self._events.emit("gap", Gap(kept + 1, seq))

    def _resumed(self, answer: Frame) -> None:
        self.id = answer["room"]
        self._port.named(answer["room"], self)
        if not self._is_wanted:
            return self._port.tell({"type": "unsubscribe", "room": answer["room"]})
        self._is_attached = True
        self._last = answer
        self.role, self.can = answer["role"], tuple(answer["can"])
        self.epoch = answer["epoch"]
        self._events.emit("subscribed", answer)
        if answer["recovered"]:
            return
        if answer.get("reset") and self.seq is not None:
            # How far both pasts are the same is not known.
            lost = Gap(1, self.seq)
            self.seq = 0
            self._events.emit("reset", Reset(answer["epoch"], lost))
        start = (answer["seq"] if self.seq is None else self.seq) + 1
        end = answer["seq"] - answer["replayed"]
        self.seq = end
        if start <= end:
            self._events.emit("gap", Gap(start, end))

    def _detach(self, why: Unsubscribed) -> None:
        self._is_attached = self._is_wanted = False
        self._users = 0
        self.role, self.can = None, ()
        self._events.emit("unsubscribed", why)


def _position(since: int | None, epoch: str | None) -> Mapping[str, Any]:
    if since is None:
        return {}
    return {"since": since} if epoch is None else {"since": since, "epoch": epoch}


def _gap(lost: Mapping[str, int] | None) -> Gap | None:
    return None if lost is None else Gap(lost["from"], lost["to"])


async def _ignored(answered: asyncio.Future[Frame]) -> None:
    with contextlib.suppress(WardroomError):
        await answered
