"""Loops over events, and listeners."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

from wardroom import Stream, WardroomError
from wardroom.frames import Message

from .talk import Talk


class Loops(Talk):
    async def test_messages_are_handed_out_and_a_revoked_session_is_raised(self) -> None:
        peer = await self.connected()
        heard: list[int] = []

        async def listen() -> None:
            async for message in self.client.room("lobby").messages():
                heard.append(message["seq"])

        listening = asyncio.ensure_future(listen())
        await self.subscribed(peer)
        peer.send(self.like("message", seq=1), self.like("message", seq=2))
        end = {"code": "session_revoked", "action": "login", "message": "over", "close_id": "c"}
        peer.send({"type": "goodbye", **end})
        peer.close(4003, "")
        with self.assertRaises(WardroomError) as raised:
            await asyncio.wait_for(listening, 5)
        self.assertEqual(heard, [1, 2])
        self.assertEqual((raised.exception.code, raised.exception.message), (end["code"], "over"))

    async def test_a_loop_ends_without_an_error_when_the_client_is_closed(self) -> None:
        peer = await self.connected()
        room = await self.room(peer)
        loop = room.events("message")
        ending = asyncio.ensure_future(self.client.ended())
        await self.driver.rested()
        await self.client.close()
        self.assertEqual([event async for event in loop], [])
        self.assertEqual((await ending).code, "closed")
        self.assertEqual((await self.client.ended()).code, "closed")

    async def test_a_loop_that_is_left_takes_its_subscription_back(self) -> None:
        peer = await self.connected()
        messages = self.client.room("lobby").messages()
        first = asyncio.ensure_future(messages.__anext__())
        await self.subscribed(peer)
        peer.send(self.like("message", seq=1))
        self.assertEqual((await first)["seq"], 1)
        leaving = asyncio.ensure_future(messages.aclose())  # type: ignore[attr-defined]
        frame = await self.frame(peer, "unsubscribe")
        room = "00000000-0000-7000-8000-000000000001"
        ended = {"type": "unsubscribed", "id": frame["id"], "room": room}
        peer.send({**ended, "code": "client", "action": "none"})
        await leaving
        self.assertFalse(self.client.room("lobby").subscribed)

    async def test_a_loop_over_events_that_is_left_leaves_no_listener(self) -> None:
        peer = await self.connected()
        room = await self.room(peer)
        loop = room.events("message")
        held = weakref.ref(loop)
        peer.send(self.like("message", seq=1), self.like("message", seq=2))
        async for _, message in loop:
            self.assertEqual(message["seq"], 1)
            break
        del loop
        gc.collect()
        self.assertIsNone(held())
        peer.send(self.like("message", seq=3))
        await self.driver.settled()
        self.assertEqual(room.seq, 3)

    async def test_a_loop_that_is_too_slow_hands_out_what_it_has_and_raises(self) -> None:
        stream: Stream[int] = Stream(size=2)
        for item in range(3):
            stream.push(item)
        self.assertEqual([await stream.__anext__(), await stream.__anext__()], [0, 1])
        with self.assertRaises(WardroomError) as raised:
            await stream.__anext__()
        self.assertEqual(raised.exception.code, "too_slow")
        with self.assertRaises(StopAsyncIteration):
            await stream.__anext__()

    async def test_a_listener_that_raises_hurts_nobody_and_is_reported(self) -> None:
        reported: list[Any] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(str(context["exception"])))
        peer = await self.connected()
        room = await self.room(peer)
        heard: asyncio.Queue[str] = asyncio.Queue()

        def wrong(message: Message) -> None:
            raise RuntimeError("in a function")

        async def later(message: Message) -> None:
            await asyncio.sleep(0)
            heard.put_nowait(message["message_id"])
            raise RuntimeError("in a coroutine")

        room.on("message", wrong)
        room.on("message", later)
        message = self.like("message", seq=1)
        peer.send(message)
        self.assertEqual(await asyncio.wait_for(heard.get(), 5), message["message_id"])
        await self.driver.settled()
        self.assertEqual(reported, ["in a function", "in a coroutine"])

    async def test_a_frame_without_its_fields_is_ignored_and_reported(self) -> None:
        reported: list[Any] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
        peer = await self.connected()
        room = await self.room(peer)
        peer.send({"type": "message", "room": room.id})
        await self.driver.settled()
        self.assertEqual(self.client.state, "live")
        self.assertEqual(len(reported), 1)

    async def test_an_event_that_does_not_exist_is_refused(self) -> None:
        on: Any = self.client.on
        with self.assertRaisesRegex(ValueError, "no event 'messages'"):
            on("messages", print)
