from __future__ import annotations

import math
from typing import Callable, NamedTuple

from ..errors import WardroomError


class Backoff(NamedTuple):
    base_ms: float
    max_ms: float
    #: 0 <= random() < 1
    random: Callable[[], float]


class Reconnect(NamedTuple):
    delay_ms: float
    new_token: bool


def plan_reconnect(why: WardroomError, attempt: int, backoff: Backoff) -> Reconnect | None:
    """Decides the next step after a connection or an attempt ended; None: the end. `attempt` counts
    the tries since the last stable connection. A delay is never shorter than the server's
    `retry_after_ms`; repeats add jitter on top.
    """
    if why.action in ("login", "stop"):
        return None
    new_token = why.action == "refresh"
    if why.retry_after_ms is not None:
        extra_ms = 0 if attempt == 0 else jitter_ms(attempt, backoff)
        return Reconnect(why.retry_after_ms + extra_ms, new_token)
    # The server spreads its 4001 closes itself, so the first try with a new token need not wait.
    if new_token and attempt == 0:
        return Reconnect(0, new_token)
    if attempt == 0:
        return Reconnect(jitter_ms(0, backoff), new_token)
    return Reconnect(_upper_half_ms(attempt, backoff), new_token)


def jitter_ms(attempt: int, backoff: Backoff) -> float:
    """Full jitter: anything between 0 and the exponential bound."""
    return math.floor(backoff.random() * _bound_ms(attempt, backoff))


def _upper_half_ms(attempt: int, backoff: Backoff) -> float:
    """Between half of the bound and all of it, so that few wait long for a server that is back."""
    return math.floor((1 + backoff.random()) / 2 * _bound_ms(attempt, backoff))


def _bound_ms(attempt: int, backoff: Backoff) -> float:
    return min(backoff.max_ms, backoff.base_ms * 2.0 ** min(attempt, 30))
