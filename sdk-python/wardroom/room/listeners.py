"""The types of listeners: which event has which."""

from __future__ import annotations

from typing import Callable, Literal, Protocol, overload

from .. import frames
from .subscription import Gap, Reset, Unsubscribed

Off = Callable[[], None]


class RoomOn(Protocol):
    """Calls a listener with each such event. Returns the function that takes it away."""

    @overload
    def __call__(
        self, name: Literal["message"], listener: Callable[[frames.Message], object]
    ) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["message_edited"], listener: Callable[[frames.MessageEdited], object]
    ) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["message_deleted"], listener: Callable[[frames.MessageDeleted], object]
    ) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["reaction"], listener: Callable[[frames.Reaction], object]
    ) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["pinned"], listener: Callable[[frames.Pinned], object]
    ) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["signal"], listener: Callable[[frames.Signal], object]
    ) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["typing"], listener: Callable[[frames.Typing], object]
    ) -> Off: ...
    @overload
    def __call__(self, name: Literal["read"], listener: Callable[[frames.Read], object]) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["presence"], listener: Callable[[frames.Presence], object]
    ) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["member"], listener: Callable[[frames.Member], object]
    ) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["access"], listener: Callable[[frames.Access], object]
    ) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["subscribed"], listener: Callable[[frames.Subscribed], object]
    ) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["unsubscribed"], listener: Callable[[Unsubscribed], object]
    ) -> Off: ...
    @overload
    def __call__(self, name: Literal["gap"], listener: Callable[[Gap], object]) -> Off: ...
    @overload
    def __call__(self, name: Literal["reset"], listener: Callable[[Reset], object]) -> Off: ...
