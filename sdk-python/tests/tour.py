"""Every call and event of a room beside real servers: `python3 -m tests.tour`.

TOUR is JSON: {"a", "b": URLs of two nodes, "tenant", "owner": {"email", "password"}}. The tenant
allows guests; its access tokens live a few seconds. Prints one line for each part that held.
"""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from typing import Any, Mapping, TypeVar

from wardroom import Client, Gap, Room, Stream, WardroomError

WAIT_S = 15
T = TypeVar("T")


async def soon(work: Any) -> Any:
    return await asyncio.wait_for(work, WAIT_S)


async def heard(loop: Stream[tuple[str, Any]], wanted: str) -> Any:
    """The next event of this name; others are skipped."""
    while True:
        name, event = await soon(loop.__anext__())
        if name == wanted:
            return event


def held(what: str) -> None:
    print(what, flush=True)


async def enter(ada: Client, ben: Client, place: Mapping[str, Any]) -> Room:
    """The owner signs in; another registers by an invitation, and comes into the room by one."""
    await ada.login(place["tenant"], device="tour", **place["owner"])
    me = await ada.api.me()
    link = await ada.api.accounts.invite(me["tenant_id"], {"max_uses": 1})
    email = f"{uuid.uuid4()}@example.com"
    await ben.register(
        place["tenant"], email, "a long password", name="Ben", device="tour", invite=link["code"]
    )
    created = await ada.api.rooms.create({"visibility": "private", "name": "Tour"})
    invitation = await ada.api.invites.create(created["id"], {"max_uses": 1})
    assert [each["id"] for each in (await ada.api.invites.list(created["id"]))["items"]] == [
        invitation["id"]
    ]
    member = await ben.api.invites.accept(invitation["code"])
    assert (member["room_id"], member["role"]) == (created["id"], "member")
    held("invitations into a tenant and a room")
    return ada.room(created["id"])


async def talk(ours: Room, theirs: Room, ben: Client) -> None:
    """Everything that one says arrives at the other, over another node."""
    assert (await ours.subscribe())["role"] == "owner"
    coming = ours.events("presence")
    loop = theirs.events()
    await theirs.subscribe()
    op_id = str(uuid.uuid4())
    ack = await ours.publish({"text": "first"}, op_id=op_id, kind="text", mentions="room")
    again = await ours.publish({"text": "first"}, op_id=op_id, kind="text", mentions="room")
    assert (ack["duplicate"], again["duplicate"]) == (False, True)
    assert again["seq"] == ack["seq"]
    message = await heard(loop, "message")
    id = message["message_id"]
    assert (message["body"], message["mentions"], id) == (
        {"text": "first"},
        "room",
        ack["message_id"],
    )
    await ours.edit(id, {"text": "second"})
    assert (await heard(loop, "message_edited"))["body"] == {"text": "second"}
    await theirs.react(id, "+1")
    assert (await heard(loop, "reaction"))["emoji"] == "+1"
    await ours.signal("wave", {"hands": 2})
    assert (await heard(loop, "signal"))["body"] == {"hands": 2}
    ours.typing(True)
    assert (await heard(loop, "typing"))["on"] is True
    reply = await theirs.publish("an answer", reply_to=id)
    page = await ours.history(thread=id)
    assert [each["message_id"] for each in page["items"]] == [reply["message_id"]]
    await ours.read()
    assert (await heard(loop, "read"))["seq"] == ours.seq
    auth = ben.auth
    assert auth
    while auth["user_id"] not in (await heard(coming, "presence")).get("joined", []):
        pass
    assert auth["user_id"] in (await ours.presence())["users"]
    await ours.delete(id)
    assert (await heard(loop, "message_deleted"))["message_id"] == id
    held("messages, edits, reactions, signals, threads, read markers, presence, deletions")


async def last(ada: Client, ben: Client, ours: Room, theirs: Room) -> None:
    """Over a renewed token, a lost connection and a changed right."""
    changes = ben.events("refreshed", "activity", "connected")
    await ben.watch()
    await heard(changes, "refreshed")
    held("a token that is renewed on the living connection")

    await ben.close()
    await ours.publish("while you were away")
    await ben.connect()
    loop = theirs.events("message", "gap", "access")
    event = await heard(loop, "message")
    assert event["body"] == "while you were away"
    assert theirs.seq == event["seq"] == ours.seq
    held("events of the time without a connection")

    auth = ben.auth
    assert auth and ours.id
    changed = await ada.api.members.update(ours.id, auth["user_id"], {"role": "viewer"})
    assert changed["receipt"] and changed["receipt"]["effective"]
    assert (await heard(loop, "access"))["role"] == theirs.role == "viewer"
    try:
        await theirs.publish("too late")
    except WardroomError as error:
        assert (error.kind, error.code) == ("denied", "read_only"), error
        assert error.decision_id
    else:
        raise AssertionError("a viewer published")
    held("a right that is taken at once")

    await ada.api.members.remove(ours.id, auth["user_id"])
    try:
        await heard(loop, "nothing")
    except WardroomError as error:
        held(f"a member that is removed: {error.code}")


async def main() -> None:
    place = json.loads(os.environ["TOUR"])
    async with Client(place["a"]) as ada, Client(place["b"]) as ben, Client(place["b"]) as guest:
        ours = await enter(ada, ben, place)
        await asyncio.gather(ada.connect(), ben.connect())
        assert ours.ref
        theirs = ben.room(ours.ref)
        gaps: list[Gap] = []
        theirs.on("gap", gaps.append)
        await talk(ours, theirs, ben)
        await last(ada, ben, ours, theirs)
        assert gaps == []
        await guest.guest(place["tenant"])
        assert (await guest.api.me())["role"] == "guest"
        held("a guest")
        ending = asyncio.ensure_future(ben.ended())
        receipt = await ben.logout()
        assert receipt["effective"]
        held(f"a logout: {(await soon(ending)).code}")


asyncio.run(main())
