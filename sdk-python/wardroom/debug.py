"""One line for each step of the client. Never a token, a ticket or a body."""

from __future__ import annotations

import logging
from typing import Any, Callable, Mapping, Union

Debug = Callable[[str], object]
DebugOption = Union[bool, Debug, None]

# Fields that hold no secret and nobody's words. Everything else of a frame is left out.
_SHOWN = (
    "id",
    "room",
    "seq",
    "epoch",
    "code",
    "action",
    "op_id",
    "message_id",
    "since",
    "recovered",
    "replayed",
    "reset",
    "retry_after_ms",
    "refresh_after_ms",
    "expires_in_ms",
    "close_id",
)


def read_debug(option: DebugOption) -> Debug | None:
    """`True` writes to the logger `wardroom`, at its level DEBUG."""
    if callable(option):
        return option
    return logging.getLogger("wardroom").debug if option else None


def describe_frame(frame: Mapping[str, Any]) -> str:
    shown = (f"{name}={frame[name]}" for name in _SHOWN if frame.get(name) is not None)
    return " ".join([str(frame.get("type")), *shown])
