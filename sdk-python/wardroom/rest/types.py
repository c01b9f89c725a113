"""REST as the server answers it. A test compares these types with the schemas of the server."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypedDict, TypeVar

T = TypeVar("T")
Role = Literal["owner", "moderator", "member", "reader"]
UserRole = Literal["member", "admin", "operator", "auditor"]


class Node(TypedDict):
    id: str
    state: Literal["confirmed", "fenced"]
    ms: float


class _Receipt(TypedDict):
    id: str
    effective: bool
    state: Literal["effective", "pending"]
    sessions: int
    connections_closed: int
    nodes: list[Node]
    ms: float


class Receipt(_Receipt, total=False):
    """How far a change that takes rights has come; `effective`: nobody can act on the old ones."""

    history: str
    committed_ms: float
