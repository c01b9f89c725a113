"""Bodies and answers of REST, by their names in the OpenAPI document. Written by `npm run docs`."""

from __future__ import annotations

from typing import Any, Literal, TypedDict, Union

from .frames import Right, Role


class MeTenant(TypedDict):
    id: str
    slug: str
    name: str


class Me(TypedDict):
    user_id: str
    tenant_id: str
    session_id: str
    tenant: MeTenant
    role: Literal["member", "admin", "operator", "auditor", "service", "guest"]
    email: str | None
    name: str | None
    avatar: str | None
    status: str | None


class ProfilePatch(TypedDict, total=False):
    name: str
    avatar: str | None
    status: str | None


class ReceiptNode(TypedDict):
    id: str
    state: Literal["confirmed", "fenced"]
    ms: int


class _Receipt(TypedDict):
    id: str
    effective: bool
    state: Literal["effective", "pending"]
    sessions: int
    connections_closed: int
    nodes: list[ReceiptNode]
    ms: int


class Receipt(_Receipt, total=False):
    history: str
    committed_ms: int


class Session(TypedDict):
    id: str
    tenant_id: str
    user_id: str
    guest: bool
    device: str | None
    transport: Literal["body", "cookie"]
    created_at: str
    last_active_at: str
    expires_at: str
    current: bool


class SessionPage(TypedDict):
    items: list[Session]
    next_cursor: str | None


class _Room(TypedDict):
    id: str
    tenant_id: str
    slug: str | None
    name: str
    visibility: Literal["public", "private", "direct"]
    posting: Literal["members", "moderators"]
    topic: str | None
    description: str | None
    archived: bool
    kinds: dict[str, Role]
    seq: int
    role: Role | None
    can: list[Right]
    created_at: str


class Room(_Room, total=False):
    members_count: int


class RoomPage(TypedDict):
    items: list[Room]
    next_cursor: str | None


class _NewRoomPublic(TypedDict):
    visibility: Literal["public"]
    name: str


class NewRoomPublic(_NewRoomPublic, total=False):
    slug: str
    posting: Literal["members", "moderators"]


class _NewRoomPrivate(TypedDict):
    visibility: Literal["private"]
    name: str


class NewRoomPrivate(_NewRoomPrivate, total=False):
    slug: str
    posting: Literal["members", "moderators"]


class _NewRoomDirect(TypedDict):
    visibility: Literal["direct"]
    members: list[str]


class NewRoomDirect(_NewRoomDirect, total=False):
    name: str


NewRoom = Union[NewRoomPublic, NewRoomPrivate, NewRoomDirect]


class RoomPatch(TypedDict, total=False):
    name: str
    slug: str | None
    visibility: Literal["public", "private"]
    posting: Literal["members", "moderators"]
    topic: str | None
    description: str | None
    archived: bool
    kinds: dict[str, Role]


class ChangedRoom(TypedDict):
    room: Room
    receipt: Receipt | None


class LastMessage(TypedDict):
    message_id: str
    seq: int
    n: int
    sender: str
    kind: str
    at: str
    edited_at: str | None
    deleted_at: str | None
    body: Any
    text: str | None


class SidebarItemPeer(TypedDict):
    id: str
    name: str


class SidebarItem(TypedDict):
    room: Room
    last_message: LastMessage | None
    last_n: int
    read_n: int
    unread: int
    mentions: int
    favourite: bool
    notify: Literal["all", "mentions", "none"]
    peer: SidebarItemPeer | None


class Sidebar(TypedDict):
    items: list[SidebarItem]
    next_cursor: str | None


class SidebarPatch(TypedDict, total=False):
    favourite: bool
    notify: Literal["all", "mentions", "none"]


class Member(TypedDict):
    room_id: str
    user_id: str
    name: str
    role: Role | None
    muted_until: str | None
    banned: bool
    version: int
    created_at: str


class MemberPage(TypedDict):
    items: list[Member]
    next_cursor: str | None


class _NewMember(TypedDict):
    user: str


class NewMember(_NewMember, total=False):
    role: Role


class MemberPatch(TypedDict, total=False):
    role: Role
    muted_until: str | None
    banned: bool


class ChangedMember(TypedDict):
    member: Member
    receipt: Receipt | None


class NewRoomInvite(TypedDict, total=False):
    max_uses: int
    expires_in: int
    role: Literal["viewer", "member", "moderator"]


class CreatedRoomInvite(TypedDict):
    code: str
    url: str
    id: str
    max_uses: int | None
    uses: int
    expires_at: str
    created_by: str
    created_at: str
    role: Literal["viewer", "member", "moderator"]


class RoomInvite(TypedDict):
    id: str
    max_uses: int | None
    uses: int
    expires_at: str
    created_by: str
    created_at: str
    role: Literal["viewer", "member", "moderator"]


class RoomInvites(TypedDict):
    items: list[RoomInvite]
    next_cursor: None


class WithdrawnInvite(TypedDict):
    id: str


class MessageReaction(TypedDict):
    emoji: str
    count: int
    users: list[str]


class Message(TypedDict):
    message_id: str
    room: str
    seq: int
    n: int
    sender: str
    kind: str
    op_id: str
    body: Any
    at: str
    edited_at: str | None
    deleted_at: str | None
    reply_to: str | None
    mentions: list[str] | Literal["room"] | None
    reactions: list[MessageReaction]


class MessagePage(TypedDict):
    items: list[Message]
    next_cursor: str | None
    epoch: str
    seq: int


class Edit(TypedDict):
    seq: int
    sender: str
    at: str
    body: Any


class EditList(TypedDict):
    items: list[Edit]


class ChangeAck(TypedDict):
    room: str
    message_id: str
    seq: int


class PinListItem(TypedDict):
    message: Message
    pinned_by: str
    pinned_at: str


class PinList(TypedDict):
    items: list[PinListItem]


SearchPageItemRange = TypedDict("SearchPageItemRange", {"from": int, "to": int})


class SearchPageItem(TypedDict):
    message: Message
    ranges: list[SearchPageItemRange]


class SearchPage(TypedDict):
    items: list[SearchPageItem]
    next_cursor: str | None


class _Person(TypedDict):
    id: str
    name: str
    avatar: str | None
    status: str | None
    state: Literal["active", "suspended"]


class Person(_Person, total=False):
    email: str


class PersonPage(TypedDict):
    items: list[Person]
    next_cursor: str | None
