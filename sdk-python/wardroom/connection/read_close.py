from __future__ import annotations

import json
from typing import Any, Mapping

from ..errors import Action, WardroomError, error_from_wire

#: The statuses that only Wardroom uses.
_ACTION_OF_STATUS: Mapping[int, Action] = {4001: "refresh", 4003: "stop"}


def read_close(
    goodbye: Mapping[str, Any] | None, status: int | None = None, reason: str = ""
) -> WardroomError:
    """Why a connection ended: the goodbye, else the JSON reason of the close, else a status that
    only Wardroom uses. Everything else (1006 above all, but also a proxy's own 1001 or 1011) says
    nothing about credentials or rights: `connection_lost`.
    """
    if goodbye is not None:
        return error_from_wire(goodbye, status)
    if status is None:
        return WardroomError("connection_lost")
    parsed = _parse(reason)
    if parsed is not None:
        return error_from_wire(parsed, status)
    action = _ACTION_OF_STATUS.get(status)
    if action:
        return WardroomError("bad_answer", action=action, status=status)
    return WardroomError("connection_lost", status=status)


def _parse(reason: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(reason)
    except ValueError:
        # Not Wardroom's: a proxy, or the transport itself.
        return None
    return value if isinstance(value, dict) and "code" in value else None
