"""The types of listeners: which event of a client has which."""

from __future__ import annotations

from typing import Callable, Literal, NamedTuple, Protocol, overload

from . import frames
from .connection.keeper import ConnectionState
from .errors import WardroomError

Off = Callable[[], None]


class StateChange(NamedTuple):
    """The connection is in another state."""

    state: ConnectionState
    previous: ConnectionState


class Waiting(NamedTuple):
    """The connection ended or could not be made; the next attempt follows after `delay_ms`."""

    why: WardroomError
    delay_ms: float
    attempt: int


class ClientOn(Protocol):
    """Calls a listener with each such event. Returns the function that takes it away."""

    @overload
    def __call__(
        self, name: Literal["state"], listener: Callable[[StateChange], object]
    ) -> Off: ...
    @overload
    def __call__(
        self,
        name: Literal["connected", "refreshed"],
        listener: Callable[[frames.AuthOk], object],
    ) -> Off: ...
    @overload
    def __call__(self, name: Literal["waiting"], listener: Callable[[Waiting], object]) -> Off: ...
    @overload
    def __call__(
        self,
        name: Literal["signed_out", "closed", "error"],
        listener: Callable[[WardroomError], object],
    ) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["activity"], listener: Callable[[frames.Activity], object]
    ) -> Off: ...
    @overload
    def __call__(
        self, name: Literal["rooms_changed"], listener: Callable[[frames.RoomsChanged], object]
    ) -> Off: ...
    @overload
    def __call__(self, name: Literal["read"], listener: Callable[[frames.Read], object]) -> Off: ...
