"""Plays one case of a script against a driver."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Awaitable, Mapping, TypeVar

from .driver import Driver
from .script import Names

T = TypeVar("T")
WAIT_S = 5.0

Step = Mapping[str, Any]


async def run_case(case: Mapping[str, Any]) -> str | None:
    """The fault, if there is one."""
    driver = Driver(case.get("client", {}))
    await driver.server.start()
    player = Player(driver)
    try:
        for at, step in enumerate(case["steps"]):
            try:
                fault = await player.play(step)
            except Exception as error:
                fault = repr(error)
            if fault:
                return f"step {at + 1} {json.dumps(step)}: {fault}"
        return None
    finally:
        await driver.stop()


class Player:
    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._names = Names()

    async def play(self, step: Step) -> str | None:
        method = getattr(self, f"_{step['step']}", None)
        if method is None:
            return f"no such step: {step['step']}"
        fault: str | None = await method(step)
        return fault

    # Steps of the application.

    async def _call(self, step: Step) -> None:
        args = self._names.meant(step.get("args", {}))
        self._driver.call(step["do"], step.get("room"), args, step.get("as"))

    async def _result(self, step: Step) -> str | None:
        result = await _soon(self._driver.results[step["of"]])
        wanted = {"ok": step["ok"]} if "ok" in step else {"error": step["error"]}
        return self._names.difference(wanted, result)

    async def _event(self, step: Step) -> str | None:
        events = self._driver.events[step.get("room", ""), step["name"]]
        return self._names.difference(step.get("match", {}), await _soon(events.get()))

    async def _state(self, step: Step) -> str | None:
        await self._driver.settled()
        return self._names.difference(step["is"], self._driver.client.state)

    async def _asked(self, step: Step) -> str | None:
        await self._driver.rested()
        return self._names.difference(step["reasons"], self._driver.asked)

    async def _nothing(self, _: Step) -> str | None:
        driver = self._driver
        await driver.settled()
        heard = [key for key, queue in driver.events.items() if key[0] and not queue.empty()]
        if heard:
            return f"there is {heard}"
        if driver.peer and not driver.peer.frames.empty():
            return "there is a frame"
        if not driver.server.calls.empty():
            return "there is a request"
        return None if driver.server.peers.empty() else "there is a connection"

    async def _advance(self, step: Step) -> None:
        await self._driver.rested()
        self._driver.clock.advance(step["ms"])

    async def _sleep(self, step: Step) -> None:
        await self._driver.rested()
        self._driver.clock.sleep(step["ms"])

    async def _hold_lock(self, _: Step) -> None:
        self._driver.lock_is_held = True

    async def _break_storage(self, _: Step) -> None:
        self._driver.storage_is_broken = True

    # Steps of the server.

    async def _accept(self, step: Step) -> str | None:
        peer = self._driver.peer = await _soon(self._driver.server.peers.get())
        if peer.path != step.get("path", peer.path):
            return f"the path is {peer.path}"
        if peer.protocol != step.get("protocol", peer.protocol):
            return f"the protocol is {peer.protocol}"
        if "token" not in step:
            return None
        peer.send(self._names.meant({"$like": "hello"}))
        auth = {"type": "auth", "token": step["token"]}
        wrong = self._names.difference(auth, await _soon(peer.frames.get()))
        peer.send(self._names.meant({"$like": "auth_ok", **step.get("auth_ok", {})}))
        return wrong

    async def _frame(self, step: Step) -> str | None:
        return self._names.difference(step["match"], await self._next_frame())

    async def _any_order(self, step: Step) -> str | None:
        frames = [await self._next_frame() for _ in step["frames"]]
        for wanted in step["frames"]:
            if all(self._names.difference(wanted, frame) for frame in frames):
                return f"no {wanted} in {frames}"
        return None

    async def _send(self, step: Step) -> None:
        self._peer.send(*self._names.meant(step["frames"]))

    async def _send_text(self, step: Step) -> None:
        self._peer.send_text(step["text"])

    async def _close(self, step: Step) -> None:
        reason = step.get("reason", "")
        text = reason if isinstance(reason, str) else json.dumps(reason, separators=(",", ":"))
        self._peer.close(step["status"], text)

    async def _cut(self, _: Step) -> None:
        self._peer.cut()

    async def _request(self, step: Step) -> str | None:
        request = self._driver.request = await _soon(self._driver.server.calls.get())
        wanted = {name: value for name, value in step.items() if name != "step"}
        return self._names.difference(wanted, vars(request))

    async def _respond(self, step: Step) -> None:
        assert self._driver.request
        self._driver.request.answer(step["status"], self._names.meant(step["body"]))

    @property
    def _peer(self) -> Any:
        assert self._driver.peer
        return self._driver.peer

    async def _next_frame(self) -> Any:
        return await _soon(self._peer.frames.get())


async def _soon(coming: Awaitable[T]) -> T:
    try:
        return await asyncio.wait_for(coming, WAIT_S)
    except asyncio.TimeoutError:
        raise AssertionError("it did not come") from None
