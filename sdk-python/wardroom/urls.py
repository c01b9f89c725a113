"""Where a server is reached."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

WS_PATH = "/v1/ws"


class ServerUrls(NamedTuple):
    rest: str
    """Without a slash at its end; paths start with `/v1/`."""
    socket: str


def server_urls(url: str) -> ServerUrls:
    """From `https://host`, `wss://host`, or either with `/v1/ws`. It never holds a credential."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname:
        raise ValueError(f"url: {url!r} is not http(s)://host or ws(s)://host")
    if parts.username or parts.password or parts.query:
        raise ValueError("url: user, password or query is not allowed")
    path = parts.path.rstrip("/")
    if path.endswith(WS_PATH):
        path = path[: -len(WS_PATH)]
    place = parts.netloc + path
    is_secure = parts.scheme in ("https", "wss")
    return ServerUrls(
        rest=f"{'https' if is_secure else 'http'}://{place}",
        # `auth=message`: the credential follows as a frame.
        socket=f"{'wss' if is_secure else 'ws'}://{place}{WS_PATH}?auth=message",
    )
