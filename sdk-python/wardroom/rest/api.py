"""The REST calls of an application, typed. A room is named by id or slug, a user by id."""

from __future__ import annotations

from typing import Any, Mapping, Protocol, Union
from urllib.parse import quote, urlencode

from ..admin_types import (
    ChangedUser,
    CreatedTenantInvite,
    NewTenantInvite,
    NewUser,
    TenantInvites,
    User,
    UserPage,
    UserPatch,
)
from ..types import (
    ChangeAck,
    ChangedMember,
    ChangedRoom,
    CreatedRoomInvite,
    EditList,
    Me,
    Member,
    MemberPage,
    MemberPatch,
    Message,
    NewMember,
    NewRoom,
    NewRoomInvite,
    Person,
    PersonPage,
    PinList,
    ProfilePatch,
    Receipt,
    Room,
    RoomInvites,
    RoomPage,
    RoomPatch,
    SearchPage,
    SessionPage,
    Sidebar,
    SidebarItem,
    SidebarPatch,
    WithdrawnInvite,
)

Query = Union[str, int, None]


class Call(Protocol):
    async def __call__(self, path: str, method: str = "GET", body: Any = None) -> Any: ...


def part(text: str) -> str:
    return quote(text, safe="")


def with_query(path: str, query: Mapping[str, Query]) -> str:
    asked = urlencode({name: value for name, value in query.items() if value is not None})
    return f"{path}?{asked}" if asked else path


class _Part:
    def __init__(self, call: Call) -> None:
        self._call = call

    async def _list(self, path: str, limit: int | None, cursor: str | None, **more: Query) -> Any:
        return await self._call(with_query(path, {**more, "limit": limit, "cursor": cursor}))


class Sessions(_Part):
    """The signed-in devices of the user."""

    async def list(self, limit: int | None = None, cursor: str | None = None) -> SessionPage:
        page: SessionPage = await self._list("/v1/auth/sessions", limit, cursor)
        return page

    async def end(self, id: str) -> Receipt:
        receipt: Receipt = await self._call(f"/v1/auth/sessions/{part(id)}", "DELETE")
        return receipt


class Rooms(_Part):
    """Rooms, and the caller's own list of them (`mine`)."""

    async def list(self, limit: int | None = None, cursor: str | None = None) -> RoomPage:
        page: RoomPage = await self._list("/v1/rooms", limit, cursor)
        return page

    async def get(self, room: str) -> Room:
        found: Room = await self._call(f"/v1/rooms/{part(room)}")
        return found

    async def create(self, fields: NewRoom) -> Room:
        room: Room = await self._call("/v1/rooms", "POST", fields)
        return room

    async def update(self, room: str, fields: RoomPatch) -> ChangedRoom:
        changed: ChangedRoom = await self._call(f"/v1/rooms/{part(room)}", "PATCH", fields)
        return changed

    async def delete(self, room: str) -> Receipt:
        receipt: Receipt = await self._call(f"/v1/rooms/{part(room)}", "DELETE")
        return receipt

    async def mine(self, limit: int | None = None, cursor: str | None = None) -> Sidebar:
        """The caller's own, newest activity first."""
        page: Sidebar = await self._list("/v1/me/rooms", limit, cursor)
        return page

    async def set_mine(self, room: str, fields: SidebarPatch) -> SidebarItem:
        item: SidebarItem = await self._call(f"/v1/me/rooms/{part(room)}", "PATCH", fields)
        return item

    async def join(self, room: str) -> Member:
        member: Member = await self._call(f"/v1/rooms/{part(room)}/join", "POST", {})
        return member

    async def leave(self, room: str) -> Receipt:
        receipt: Receipt = await self._call(f"/v1/rooms/{part(room)}/leave", "POST", {})
        return receipt


class Members(_Part):
    """Members of a room."""

    async def list(
        self, room: str, limit: int | None = None, cursor: str | None = None
    ) -> MemberPage:
        page: MemberPage = await self._list(f"/v1/rooms/{part(room)}/members", limit, cursor)
        return page

    async def add(self, room: str, fields: NewMember) -> ChangedMember:
        changed: ChangedMember = await self._call(
            f"/v1/rooms/{part(room)}/members", "POST", fields
        )
        return changed

    async def update(self, room: str, user: str, fields: MemberPatch) -> ChangedMember:
        path = f"/v1/rooms/{part(room)}/members/{part(user)}"
        changed: ChangedMember = await self._call(path, "PATCH", fields)
        return changed

    async def remove(self, room: str, user: str) -> Receipt:
        path = f"/v1/rooms/{part(room)}/members/{part(user)}"
        receipt: Receipt = await self._call(path, "DELETE")
        return receipt


class Invites(_Part):
    """Links into rooms. The code of a link is shown once."""

    async def create(self, room: str, fields: NewRoomInvite | None = None) -> CreatedRoomInvite:
        invite: CreatedRoomInvite = await self._call(
            f"/v1/rooms/{part(room)}/invites", "POST", fields or {}
        )
        return invite

    async def list(self, room: str) -> RoomInvites:
        """Those that are alive, newest first."""
        invites: RoomInvites = await self._call(f"/v1/rooms/{part(room)}/invites")
        return invites

    async def withdraw(self, room: str, id_or_code: str) -> WithdrawnInvite:
        path = f"/v1/rooms/{part(room)}/invites/{part(id_or_code)}"
        withdrawn: WithdrawnInvite = await self._call(path, "DELETE")
        return withdrawn

    async def accept(self, code: str) -> Member:
        """The caller becomes a member of the room that the link leads into."""
        member: Member = await self._call(f"/v1/invites/{part(code)}/accept", "POST", {})
        return member


class Messages(_Part):
    """Stored messages: search, pins, earlier bodies."""

    async def get(self, room: str, message: str) -> Message:
        found: Message = await self._call(f"/v1/rooms/{part(room)}/messages/{part(message)}")
        return found

    async def edits(self, room: str, message: str) -> EditList:
        """Its bodies, oldest first; for the author and moderators."""
        path = f"/v1/rooms/{part(room)}/messages/{part(message)}/edits"
        edits: EditList = await self._call(path)
        return edits

    async def search(
        self,
        q: str,
        *,
        room: str | None = None,
        sender: str | None = None,
        before: str | None = None,
        after: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> SearchPage:
        """In all rooms that the caller may read now, newest first. `before` and `after` are times,
        `q` is words, `"phrases"`, `or` and `-without`.
        """
        page: SearchPage = await self._list(
            "/v1/search",
            limit,
            cursor,
            q=q,
            room=room,
            sender=sender,
            before=before,
            after=after,
        )
        return page

    async def pins(self, room: str) -> PinList:
        pins: PinList = await self._call(f"/v1/rooms/{part(room)}/pins")
        return pins

    async def pin(self, room: str, message: str) -> ChangeAck:
        ack: ChangeAck = await self._call(f"/v1/rooms/{part(room)}/pins/{part(message)}", "PUT", {})
        return ack

    async def unpin(self, room: str, message: str) -> ChangeAck:
        path = f"/v1/rooms/{part(room)}/pins/{part(message)}"
        ack: ChangeAck = await self._call(path, "DELETE")
        return ack


class Users(_Part):
    """The people of the tenant."""

    async def list(
        self, q: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> PersonPage:
        """`q` is the beginning of a name."""
        page: PersonPage = await self._list("/v1/users", limit, cursor, q=q)
        return page

    async def get(self, user: str) -> Person:
        person: Person = await self._call(f"/v1/users/{part(user)}")
        return person


class Accounts(_Part):
    """Users of a tenant and links into it, for its admins."""

    async def list(
        self, tenant: str, limit: int | None = None, cursor: str | None = None
    ) -> UserPage:
        page: UserPage = await self._list(f"/v1/admin/tenants/{part(tenant)}/users", limit, cursor)
        return page

    async def create(self, tenant: str, fields: NewUser) -> User:
        path = f"/v1/admin/tenants/{part(tenant)}/users"
        user: User = await self._call(path, "POST", fields)
        return user

    async def update(self, user: str, fields: UserPatch) -> ChangedUser:
        changed: ChangedUser = await self._call(f"/v1/admin/users/{part(user)}", "PATCH", fields)
        return changed

    async def invite(
        self, tenant: str, fields: NewTenantInvite | None = None
    ) -> CreatedTenantInvite:
        """A link by which people register in the tenant."""
        path = f"/v1/admin/tenants/{part(tenant)}/invites"
        invite: CreatedTenantInvite = await self._call(path, "POST", fields or {})
        return invite

    async def invites(self, tenant: str) -> TenantInvites:
        invites: TenantInvites = await self._call(f"/v1/admin/tenants/{part(tenant)}/invites")
        return invites

    async def withdraw_invite(self, tenant: str, id_or_code: str) -> WithdrawnInvite:
        path = f"/v1/admin/tenants/{part(tenant)}/invites/{part(id_or_code)}"
        withdrawn: WithdrawnInvite = await self._call(path, "DELETE")
        return withdrawn


class Api:
    def __init__(self, call: Call) -> None:
        self._call = call
        self.sessions = Sessions(call)
        self.rooms = Rooms(call)
        self.members = Members(call)
        self.invites = Invites(call)
        self.messages = Messages(call)
        self.users = Users(call)
        self.accounts = Accounts(call)

    async def me(self) -> Me:
        """The user that is signed in."""
        me: Me = await self._call("/v1/me")
        return me

    async def update_me(self, fields: ProfilePatch) -> Me:
        """Name, picture and status of the user."""
        me: Me = await self._call("/v1/me", "PATCH", fields)
        return me

    async def change_password(self, current: str, new: str) -> Receipt:
        """Ends the other sessions of the user."""
        body = {"current": current, "new": new}
        receipt: Receipt = await self._call("/v1/auth/password", "POST", body)
        return receipt
