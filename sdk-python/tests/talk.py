"""A client and a scripted server that a test leads by hand."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any, Mapping

from wardroom import Client, Room

from .conformance.driver import Driver
from .conformance.script import Names
from .conformance.server import Peer, Request


class Talk(unittest.IsolatedAsyncioTestCase):
    tokens = "callback"

    async def asyncSetUp(self) -> None:
        self.driver = Driver({"tokens": self.tokens})
        await self.driver.server.start()
        self._names = Names()

    async def asyncTearDown(self) -> None:
        await self.driver.stop()

    @property
    def client(self) -> Client:
        return self.driver.client

    def like(self, template: str, **fields: Any) -> Mapping[str, Any]:
        meant: Mapping[str, Any] = self._names.meant({"$like": template, **fields})
        return meant

    async def connected(self) -> Peer:
        connecting = asyncio.ensure_future(self.client.connect())
        peer = await self.welcome()
        await connecting
        return peer

    async def welcome(self) -> Peer:
        peer = await asyncio.wait_for(self.driver.server.peers.get(), 5)
        self.driver.peer = peer
        peer.send(self.like("hello"))
        await self.frame(peer, "auth")
        peer.send(self.like("auth_ok"))
        return peer

    async def subscribed(self, peer: Peer, seq: int = 0) -> None:
        """Answers the client's `subscribe`."""
        frame = await self.frame(peer, "subscribe")
        peer.send(self.like("subscribed", id=frame["id"], seq=seq))

    async def frame(self, peer: Peer, type: str) -> Mapping[str, Any]:
        frame: Mapping[str, Any] = await asyncio.wait_for(peer.frames.get(), 5)
        self.assertEqual(frame["type"], type)
        return frame

    async def request(self) -> Request:
        return await asyncio.wait_for(self.driver.server.calls.get(), 5)

    async def room(self, peer: Peer) -> Room:
        room = self.client.room("lobby")
        subscribing = asyncio.ensure_future(room.subscribe())
        await self.subscribed(peer)
        await subscribing
        return room

    async def nothing_sent(self, peer: Peer) -> None:
        await self.driver.settled()
        self.assertTrue(peer.frames.empty())
