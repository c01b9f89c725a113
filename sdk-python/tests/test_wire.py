"""Texts that leave the client: to the server, and to logs."""

from __future__ import annotations

import asyncio
import io
import logging

from wardroom import IssuedTokens, WardroomError
from wardroom.json_text import json_text

from .talk import Talk


class Bodies(Talk):
    async def test_half_of_a_surrogate_pair_arrives_as_it_is(self) -> None:
        peer = await self.connected()
        body = {"text": "half \ud83d of a face, é and \U0001f600"}
        publishing = asyncio.ensure_future(self.client.room("lobby").publish(body, op_id="op"))
        frame = await self.frame(peer, "publish")
        self.assertEqual(frame["body"], body)
        peer.send(self.like("ack", id=frame["id"], seq=1, op_id="op"))
        self.assertEqual((await publishing)["seq"], 1)

    async def test_a_body_that_is_no_json_is_refused_before_it_is_sent(self) -> None:
        peer = await self.connected()
        for body in (float("nan"), {1, 2}):
            with self.assertRaises((TypeError, ValueError)):
                await self.client.room("lobby").publish(body)
        await self.nothing_sent(peer)

    async def test_a_body_is_copied_when_it_is_published(self) -> None:
        body = {"text": "first"}
        publishing = asyncio.ensure_future(self.client.room("lobby").publish(body))
        await self.driver.rested()
        body["text"] = "changed"
        frame = await self.frame(await self.connected(), "publish")
        self.assertEqual(frame["body"], {"text": "first"})
        publishing.cancel()

    async def test_json_is_sent_short(self) -> None:
        self.assertEqual(json_text({"a": [1, "é"]}), '{"a":[1,"é"]}')


class Logs(Talk):
    tokens = "session"

    async def test_no_log_shows_a_token_also_when_everything_is_logged(self) -> None:
        lines = io.StringIO()
        handler = logging.StreamHandler(lines)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            tokens: IssuedTokens = {
                "access_token": "access-secret",
                "refresh_token": "refresh-secret",
                "session_id": "s",
                "expires_in": 300,
                "refresh_after_ms": 200_000,
            }
            entering = asyncio.ensure_future(self.client.login("acme", "a@b.c", "password-secret"))
            (await self.request()).answer(200, tokens)
            await entering
            await self.connected()
            calling = asyncio.ensure_future(self.client.api.me())
            (await self.request()).answer(401, {"code": "token_expired", "action": "refresh"})
            (await self.request()).answer(401, {"code": "token_reuse", "action": "login"})
            with self.assertRaises(WardroomError):
                await calling
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        self.assertIn("POST /v1/auth/refresh", lines.getvalue())
        self.assertNotIn("secret", lines.getvalue())
