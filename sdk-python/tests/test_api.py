"""The typed calls of REST: their methods, paths and bodies."""

from __future__ import annotations

import asyncio
from typing import Any, Callable, Coroutine

from wardroom.rest.api import Api

from .talk import Talk

Case = tuple[str, Callable[[Api], Coroutine[Any, Any, Any]], Any]

INVITES = "/v1/rooms/lobby/invites"
PINS = "/v1/rooms/lobby/pins"
CASES: list[Case] = [
    ("GET /v1/me", lambda api: api.me(), None),
    ("PATCH /v1/me", lambda api: api.update_me({"status": None}), {"status": None}),
    (
        "POST /v1/auth/password",
        lambda api: api.change_password("old", "new"),
        {"current": "old", "new": "new"},
    ),
    ("GET /v1/auth/sessions?limit=2", lambda api: api.sessions.list(limit=2), None),
    ("DELETE /v1/auth/sessions/s1", lambda api: api.sessions.end("s1"), None),
    ("GET /v1/rooms?limit=2&cursor=c", lambda api: api.rooms.list(2, "c"), None),
    ("GET /v1/rooms/lobby%2Fx", lambda api: api.rooms.get("lobby/x"), None),
    (
        "POST /v1/rooms",
        lambda api: api.rooms.create({"visibility": "public", "name": "Lobby"}),
        {"visibility": "public", "name": "Lobby"},
    ),
    ("PATCH /v1/rooms/lobby", lambda api: api.rooms.update("lobby", {"name": "N"}), {"name": "N"}),
    ("DELETE /v1/rooms/lobby", lambda api: api.rooms.delete("lobby"), None),
    ("GET /v1/me/rooms", lambda api: api.rooms.mine(), None),
    (
        "PATCH /v1/me/rooms/lobby",
        lambda api: api.rooms.set_mine("lobby", {"notify": "none"}),
        {"notify": "none"},
    ),
    ("POST /v1/rooms/lobby/join", lambda api: api.rooms.join("lobby"), {}),
    ("POST /v1/rooms/lobby/leave", lambda api: api.rooms.leave("lobby"), {}),
    ("GET /v1/rooms/lobby/members", lambda api: api.members.list("lobby"), None),
    (
        "POST /v1/rooms/lobby/members",
        lambda api: api.members.add("lobby", {"user": "u1"}),
        {"user": "u1"},
    ),
    (
        "PATCH /v1/rooms/lobby/members/u1",
        lambda api: api.members.update("lobby", "u1", {"banned": True}),
        {"banned": True},
    ),
    ("DELETE /v1/rooms/lobby/members/u1", lambda api: api.members.remove("lobby", "u1"), None),
    (f"POST {INVITES}", lambda api: api.invites.create("lobby", {"max_uses": 1}), {"max_uses": 1}),
    (f"GET {INVITES}", lambda api: api.invites.list("lobby"), None),
    (f"DELETE {INVITES}/i1", lambda api: api.invites.withdraw("lobby", "i1"), None),
    ("POST /v1/invites/code/accept", lambda api: api.invites.accept("code"), {}),
    ("GET /v1/rooms/lobby/messages/m1", lambda api: api.messages.get("lobby", "m1"), None),
    ("GET /v1/rooms/lobby/messages/m1/edits", lambda api: api.messages.edits("lobby", "m1"), None),
    ("GET /v1/search?q=a+b&room=r", lambda api: api.messages.search("a b", room="r"), None),
    (f"GET {PINS}", lambda api: api.messages.pins("lobby"), None),
    (f"PUT {PINS}/m1", lambda api: api.messages.pin("lobby", "m1"), {}),
    (f"DELETE {PINS}/m1", lambda api: api.messages.unpin("lobby", "m1"), None),
    ("GET /v1/users?q=al", lambda api: api.users.list("al"), None),
    ("GET /v1/users/u1", lambda api: api.users.get("u1"), None),
    ("GET /v1/admin/tenants/t/users", lambda api: api.accounts.list("t"), None),
    (
        "POST /v1/admin/tenants/t/users",
        lambda api: api.accounts.create("t", {"email": "e", "password": "p", "name": "n"}),
        {"email": "e", "password": "p", "name": "n"},
    ),
    (
        "PATCH /v1/admin/users/u1",
        lambda api: api.accounts.update("u1", {"state": "suspended"}),
        {"state": "suspended"},
    ),
    ("POST /v1/admin/tenants/t/invites", lambda api: api.accounts.invite("t"), {}),
    ("GET /v1/admin/tenants/t/invites", lambda api: api.accounts.invites("t"), None),
    (
        "DELETE /v1/admin/tenants/t/invites/i1",
        lambda api: api.accounts.withdraw_invite("t", "i1"),
        None,
    ),
]


class Calls(Talk):
    async def test_each_call_has_its_method_path_and_body(self) -> None:
        for line, call, body in CASES:
            with self.subTest(line):
                calling = asyncio.ensure_future(call(self.client.api))
                request = await self.request()
                request.answer(200, {"line": line})
                self.assertEqual(await calling, {"line": line})
                self.assertEqual((f"{request.method} {request.path}", request.body), (line, body))

    async def test_every_call_has_a_case(self) -> None:
        api = self.client.api
        parts = {name: each for name, each in vars(api).items() if not name.startswith("_")}
        calls = [name for name in dir(Api) if not name.startswith("_")]
        for each in parts.values():
            calls += [name for name in dir(each) if not name.startswith("_")]
        self.assertEqual(len(calls), len(CASES))
