"""Wardroom for Python: realtime rooms whose credentials stay true."""

from .client import Client
from .clock import Clock, SystemClock
from .connection.keeper import ConnectionState
from .debug import Debug
from .emitter import Listener, Stream
from .engine import ClientEvent
from .errors import CLIENT_CODES, Action, ErrorKind, FieldError, WardroomError
from .listeners import StateChange, Waiting
from .room.room import Room, RoomEvent
from .room.subscription import Gap, Reset, Unsubscribed
from .session.credential import Credential, GetToken, TokenReason
from .session.grant import IssuedTokens
from .session.session import Session, SessionEvent, SignedIn, StorageFailed
from .session.storage import FileStorage, MemoryStorage, SessionStorage

__all__ = [
    "CLIENT_CODES",
    "Action",
    "Client",
    "ClientEvent",
    "Clock",
    "ConnectionState",
    "Credential",
    "Debug",
    "ErrorKind",
    "FieldError",
    "FileStorage",
    "Gap",
    "GetToken",
    "IssuedTokens",
    "Listener",
    "MemoryStorage",
    "Reset",
    "Room",
    "RoomEvent",
    "Session",
    "SessionEvent",
    "SessionStorage",
    "SignedIn",
    "StateChange",
    "StorageFailed",
    "Stream",
    "SystemClock",
    "TokenReason",
    "Unsubscribed",
    "Waiting",
    "WardroomError",
]
