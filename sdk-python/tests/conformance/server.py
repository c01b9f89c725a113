"""A real HTTP and WebSocket listener that says only what a script tells it to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import struct
from typing import Any

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class Peer:
    """The server's side of one socket: every frame of the client is queued."""

    def __init__(self, path: str, protocol: str, writer: asyncio.StreamWriter) -> None:
        self.path = path
        self.protocol = protocol
        self.frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._writer = writer

    def send(self, *frames: Any) -> None:
        for frame in frames:
            self.send_text(json.dumps(frame))

    def send_text(self, text: str) -> None:
        self._write(_TEXT, text.encode())

    def close(self, status: int, reason: str) -> None:
        self._write(_CLOSE, struct.pack("!H", status) + reason.encode())

    def cut(self) -> None:
        """As a cable is pulled: no goodbye, no close frame."""
        self._writer.transport.abort()

    async def read(self, reader: asyncio.StreamReader) -> None:
        while True:
            first, second = await reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                size = int.from_bytes(await reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await reader.readexactly(8), "big")
            mask = await reader.readexactly(4)
            masked = await reader.readexactly(size)
            data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked))
            kind = first & 0x0F
            if kind == _CLOSE:
                self._write(_CLOSE, data[:2])
                return self._writer.close()
            if kind == _PING:
                self._write(_PONG, data)
            if kind == _TEXT:
                self.frames.put_nowait(json.loads(data))

    def _write(self, kind: int, data: bytes) -> None:
        if self._writer.is_closing():
            return
        size = len(data)
        head = bytes([size]) if size < 126 else b"\x7e" + struct.pack("!H", size)
        self._writer.write(bytes([0x80 | kind]) + head + data)


class Request:
    """One REST call that waits for its answer."""

    def __init__(
        self, method: str, path: str, headers: dict[str, str], body: Any, out: asyncio.StreamWriter
    ) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self._writer = out

    def answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n"
        self._writer.write(f"{head}content-length: {len(text)}\r\n\r\n".encode() + text)


class ScriptedServer:
    def __init__(self) -> None:
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self.calls: asyncio.Queue[Request] = asyncio.Queue()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.AbstractServer | None = None
        self.url = ""

    async def start(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = server
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while True:
                method, path, headers = await _head(reader)
                if "upgrade" in headers:
                    protocol = headers.get("sec-websocket-protocol", "").split(",")[0].strip()
                    _accept(headers["sec-websocket-key"], protocol, writer)
                    peer = Peer(path, protocol, writer)
                    self.peers.put_nowait(peer)
                    return await peer.read(reader)
                size = int(headers.get("content-length", 0))
                body = json.loads(await reader.readexactly(size)) if size else None
                self.calls.put_nowait(Request(method, path, headers, body, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            # The client has left.
            writer.close()


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]]:
    text = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *rest = text.strip().split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.split(":", 1) for line in rest)
    return method, path, {name.lower(): value.strip() for name, value in pairs}


def _accept(key: str, protocol: str, writer: asyncio.StreamWriter) -> None:
    digest = hashlib.sha1((key + _GUID).encode()).digest()
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "upgrade: websocket",
        "connection: upgrade",
        f"sec-websocket-accept: {base64.b64encode(digest).decode()}",
        f"sec-websocket-protocol: {protocol}",
    ]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
