from __future__ import annotations

import json
from typing import Any, Mapping, NamedTuple, TypedDict


class _Issued(TypedDict):
    access_token: str
    refresh_token: str
    session_id: str
    expires_in: float
    refresh_after_ms: float


class IssuedTokens(_Issued, total=False):
    """The answer of a login, and of every other call that opens a session."""

    token_type: str


class Grant(NamedTuple):
    """The content of the storage; times are wall time of this machine in ms."""

    access_token: str
    refresh_token: str
    session_id: str
    expires_at: float
    refresh_at: float


def to_grant(answer: Mapping[str, Any], now: float) -> Grant:
    return Grant(
        access_token=answer["access_token"],
        refresh_token=answer["refresh_token"],
        session_id=answer["session_id"],
        expires_at=now + answer["expires_in"] * 1000,
        refresh_at=now + answer["refresh_after_ms"],
    )


def dump_grant(grant: Grant) -> str:
    return json.dumps(grant._asdict())


def parse_grant(text: str | None) -> Grant | None:
    try:
        return None if text is None else Grant(**json.loads(text))
    except (TypeError, ValueError):
        return None
