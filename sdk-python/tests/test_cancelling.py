"""Calls that are cancelled, and their traces."""

from __future__ import annotations

import asyncio

from wardroom import IssuedTokens, WardroomError

from .talk import Talk


def tokens(number: int) -> IssuedTokens:
    return {
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
        "session_id": "s",
        "expires_in": 300,
        "refresh_after_ms": 200_000,
    }


class Cancelling(Talk):
    async def test_a_publish_that_is_given_up_before_it_was_sent_is_never_sent(self) -> None:
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(self.client.room("lobby").publish("late"), 0.01)
        await self.nothing_sent(await self.connected())

    async def test_a_publish_that_is_given_up_is_not_sent_again(self) -> None:
        peer = await self.connected()
        publishing = asyncio.ensure_future(self.client.room("lobby").publish("once"))
        await self.frame(peer, "publish")
        publishing.cancel()
        peer.cut()
        await asyncio.wait_for(self.driver.events["", "waiting"].get(), 5)
        self.driver.clock.advance(500)
        await self.nothing_sent(await self.welcome())

    async def test_the_answer_of_a_publish_that_was_given_up_is_no_trouble(self) -> None:
        peer = await self.connected()
        publishing = asyncio.ensure_future(self.client.room("lobby").publish("once"))
        frame = await self.frame(peer, "publish")
        publishing.cancel()
        refused = {"type": "error", "id": frame["id"], "code": "muted", "action": "none"}
        peer.send({**refused, "message": "no"})
        await self.driver.settled()
        self.assertTrue(self.driver.events["", "error"].empty())

    async def test_a_subscription_that_is_given_up_is_taken_back(self) -> None:
        peer = await self.connected()
        room = self.client.room("lobby")
        subscribing = asyncio.ensure_future(room.subscribe())
        await self.driver.rested()
        subscribing.cancel()
        await self.subscribed(peer)
        await self.frame(peer, "unsubscribe")
        self.assertFalse(room.subscribed)

    async def test_another_subscriber_keeps_its_subscription(self) -> None:
        peer = await self.connected()
        room = self.client.room("lobby")
        first = asyncio.ensure_future(room.subscribe())
        second = asyncio.ensure_future(room.subscribe())
        await self.driver.rested()
        first.cancel()
        await self.subscribed(peer, seq=3)
        self.assertEqual((await second)["seq"], 3)
        await self.nothing_sent(peer)
        self.assertTrue(room.subscribed)


class CancellingARefresh(Talk):
    tokens = "session"

    async def test_a_refresh_goes_on_for_the_next_caller(self) -> None:
        await self.client.session.adopt(tokens(1))
        self.driver.clock.advance(200_000)
        asking = asyncio.ensure_future(self.client.session.access_token())
        request = await self.request()
        asking.cancel()
        request.answer(200, tokens(2))
        self.assertEqual(await self.client.session.access_token(), "access-2")
        self.assertTrue(self.driver.server.calls.empty())

    async def test_without_a_session_every_call_says_signed_out(self) -> None:
        with self.assertRaises(WardroomError) as raised:
            await self.client.rest("/v1/me")
        self.assertEqual((raised.exception.code, raised.exception.kind), ("signed_out", "auth"))
