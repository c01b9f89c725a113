"""Frames of the server, as docs/protocol.md describes them. Written by `npm run docs`."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Role = Literal[
    "owner",
    "moderator",
    "member",
    "viewer",
]
Right = Literal[
    "read",
    "presence",
    "publish",
    "signal",
    "typing",
    "react",
    "edit_own",
    "delete_own",
    "delete_any",
    "manage_members",
    "manage_room",
]


class _AuthOk(TypedDict):
    type: Literal["auth_ok"]
    session_id: str
    user_id: str
    tenant_id: str
    expires_in_ms: int
    refresh_after_ms: int
    refresh_before_ms: int
    server_time_ms: int


class AuthOk(_AuthOk, total=False):
    id: str


class _Subscribed(TypedDict):
    type: Literal["subscribed"]
    room: str
    seq: int
    epoch: str
    role: Role | None
    can: list[Right]
    recovered: bool
    replayed: int


class Subscribed(_Subscribed, total=False):
    id: str
    reset: Literal[True]


class _Ack(TypedDict):
    type: Literal["ack"]
    room: str


class Ack(_Ack, total=False):
    id: str
    op_id: str
    message_id: str
    seq: int
    at: str
    duplicate: bool


class _Message(TypedDict):
    type: Literal["message"]
    room: str
    seq: int
    message_id: str
    sender: str
    at: str
    n: int
    kind: str
    body: Any
    op_id: str


class Message(_Message, total=False):
    reply_to: str
    mentions: list[str] | Literal["room"]


class MessageEdited(TypedDict):
    type: Literal["message_edited"]
    room: str
    seq: int
    message_id: str
    sender: str
    at: str
    body: Any


class MessageDeleted(TypedDict):
    type: Literal["message_deleted"]
    room: str
    seq: int
    message_id: str
    sender: str
    at: str


class Reaction(TypedDict):
    type: Literal["reaction"]
    room: str
    seq: int
    message_id: str
    sender: str
    at: str
    emoji: str
    on: bool


class Pinned(TypedDict):
    type: Literal["pinned"]
    room: str
    seq: int
    message_id: str
    sender: str
    at: str
    on: bool


class Signal(TypedDict):
    type: Literal["signal"]
    room: str
    sender: str
    kind: str
    body: Any


class Typing(TypedDict):
    type: Literal["typing"]
    room: str
    sender: str
    on: bool


class Read(TypedDict):
    type: Literal["read"]
    room: str
    sender: str
    seq: int


class _Presence(TypedDict):
    type: Literal["presence"]
    room: str
    count: int


class Presence(_Presence, total=False):
    id: str
    joined: list[str]
    left: list[str]
    users: list[str]


class _Watching(TypedDict):
    type: Literal["watching"]
    rooms: int


class Watching(_Watching, total=False):
    id: str
    more: Literal[True]


class Activity(TypedDict):
    type: Literal["activity"]
    room: str
    n: int
    seq: int
    sender: str
    unread: int
    mentions: int
    at: str


class RoomsChanged(TypedDict):
    type: Literal["rooms_changed"]
    room: str
    change: Literal["added", "removed", "updated", "role"]


class _Member(TypedDict):
    type: Literal["member"]
    room: str
    user: str
    change: Literal["joined", "left", "role", "renamed"]
    role: Role | None


class Member(_Member, total=False):
    name: str


class Access(TypedDict):
    type: Literal["access"]
    room: str
    role: Role | None
    can: list[Right]
