"""The WebSocket itself: the library `websockets`, version 10.4 or newer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from typing import Any, Protocol

import websockets
from websockets.exceptions import ConnectionClosed

from ..tasks import Tasks, report

# Imported on its first use by the library, which type checkers do not see.
_connect: Any = getattr(websockets, "connect")

# The library would log every frame at DEBUG, the token among them.
_log = logging.getLogger("wardroom.websockets")
_log.setLevel(logging.INFO)

#: No frame of a server is near it.
FRAME_BYTES_MAX = 4 * 1024 * 1024
#: A close is waited for so long; then the connection is cut.
CLOSE_S = 1.0


class SocketHandlers(Protocol):
    def opened(self) -> None: ...

    def heard(self, data: str | bytes) -> None: ...

    def closed(self, status: int, reason: str, retry_after_ms: float | None) -> None: ...


class Socket:
    """One WebSocket. Its frames are handled in order, by plain functions."""

    def __init__(
        self,
        url: str,
        protocol: str,
        tls: ssl.SSLContext | None,
        tasks: Tasks,
        handlers: SocketHandlers,
    ) -> None:
        self._handlers = handlers
        self._tasks = tasks
        self._writes: asyncio.Queue[str | None] = asyncio.Queue()
        self._url = url
        self._options: dict[str, Any] = {
            "subprotocols": [protocol],
            "ping_interval": None,
            "open_timeout": None,
            "close_timeout": CLOSE_S,
            "max_size": FRAME_BYTES_MAX,
            "logger": _log,
        }
        if url.startswith("wss:"):
            self._options["ssl"] = tls or ssl.create_default_context()
        self._is_open = False
        self._reading = tasks.start(self._read())

    @property
    def backlog(self) -> int:
        """Frames that the network has not taken yet."""
        return self._writes.qsize()

    def send(self, text: str) -> None:
        self._writes.put_nowait(text)

    def close(self) -> None:
        """Frames that were sent before still leave, if the network takes them."""
        if self._is_open:
            self._writes.put_nowait(None)
        else:
            self._reading.cancel()

    async def _read(self) -> None:
        try:
            socket = await _connect(self._url, **self._options)
        except Exception as error:
            return self._handlers.closed(1006, "", _retry_after_ms(error))
        self._is_open = True
        writing = self._tasks.start(self._write(socket))
        self._handlers.opened()
        try:
            while True:
                data = await socket.recv()
                try:
                    self._handlers.heard(data)
                except Exception as error:
                    # A frame that is not as the protocol says is a frame of an unknown type.
                    report(error)
        except ConnectionClosed:
            self._handlers.closed(socket.close_code or 1006, socket.close_reason or "", None)
        finally:
            writing.cancel()

    async def _write(self, socket: Any) -> None:
        # The reader learns of a lost connection, too.
        with contextlib.suppress(ConnectionClosed):
            while (text := await self._writes.get()) is not None:
                await socket.send(text)
            await socket.close(1000)


def _retry_after_ms(error: Exception) -> float | None:
    """Of a handshake that was refused, as a server or a proxy asks for it."""
    response = getattr(error, "response", error)
    headers = getattr(response, "headers", None) or {}
    seconds = str(headers.get("retry-after", ""))
    return float(seconds) * 1000 if seconds.isdecimal() else None
