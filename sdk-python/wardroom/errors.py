"""The one error class of the client, and how it is read from the wire."""

from __future__ import annotations

from typing import Any, Literal, Mapping, NamedTuple, cast

Action = Literal["none", "refresh", "retry", "reconnect", "login", "stop"]
ErrorKind = Literal["auth", "denied", "temporary", "transport", "client"]

_ACTIONS: tuple[Action, ...] = ("none", "refresh", "retry", "reconnect", "login", "stop")

CLIENT_CODES: Mapping[str, tuple[Action, str]] = {
    "connection_lost": ("reconnect", "The connection was lost without a word from the server."),
    "network": ("retry", "The server could not be reached."),
    "bad_answer": ("none", "The answer of the server was not understood."),
    "not_connected": ("retry", "There is no live connection, and this does not wait for one."),
    "queue_full": ("none", "Too many requests wait for an answer."),
    "token_unavailable": ("retry", "No new access token could be got."),
    "signed_out": ("login", "Nobody is signed in."),
    "session_replaced": ("login", "Somebody signed in anew over the same storage."),
    "closed": ("none", "The client was closed."),
    "gave_up": ("none", "The connection failed too often in a row."),
    "too_slow": ("none", "The loop over events was too slow, and events were dropped."),
}
"""Codes that no server sends, with their action and message."""


class FieldError(NamedTuple):
    """One field of a REST call that the server refused."""

    path: str
    message: str


class WardroomError(Exception):
    """`action` says what to do next, `code` says why."""

    def __init__(
        self,
        code: str,
        *,
        action: Action | None = None,
        message: str | None = None,
        retry_after_ms: float | None = None,
        decision_id: str | None = None,
        status: int | None = None,
        op_id: str | None = None,
        errors: tuple[FieldError, ...] = (),
    ) -> None:
        known_action, known_message = CLIENT_CODES.get(code, ("none", code))
        self.code = code
        self.action: Action = action or known_action
        self.message = message or known_message
        self.retry_after_ms = retry_after_ms
        #: Readable by operators at `/v1/admin/decisions/{id}`.
        self.decision_id = decision_id
        #: HTTP status, or the status of the WebSocket close.
        self.status = status
        #: Of a publish or edit: the same again under it has one effect.
        self.op_id = op_id
        #: Which fields of a REST call are wrong; empty where the server names none.
        self.errors = errors
        super().__init__(f"{code}: {self.message}")

    @property
    def kind(self) -> ErrorKind:
        if self.code in ("connection_lost", "network"):
            return "transport"
        if self.action in ("login", "refresh"):
            return "auth"
        if self.code in CLIENT_CODES:
            return "client"
        return "temporary" if self.action in ("retry", "reconnect") else "denied"


def error_from_wire(wire: Mapping[str, Any], status: int | None = None) -> WardroomError:
    """From the fields that a frame, a close reason and a problem document have in common."""
    code, action, retry = wire.get("code"), wire.get("action"), wire.get("retry_after_ms")
    is_number = isinstance(retry, (int, float)) and not isinstance(retry, bool)
    return WardroomError(
        code if isinstance(code, str) else "bad_answer",
        action=cast(Action, action) if action in _ACTIONS else None,
        message=_text(wire.get("message")) or _text(wire.get("detail")) or _text(wire.get("title")),
        retry_after_ms=cast(float, retry) if is_number else None,
        decision_id=_text(wire.get("decision_id")),
        status=status,
        errors=_field_errors(wire.get("errors")),
    )


def to_wardroom_error(raised: BaseException, code: str) -> WardroomError:
    """Any exception as a WardroomError; `code` is used for foreign ones."""
    if isinstance(raised, WardroomError):
        return raised
    error = WardroomError(code)
    error.__cause__ = raised
    return error


def caused(error: WardroomError, cause: BaseException | None) -> WardroomError:
    error.__cause__ = cause
    return error


def _field_errors(value: Any) -> tuple[FieldError, ...]:
    items = value if isinstance(value, list) else []
    return tuple(
        FieldError(item["path"], item["message"])
        for item in items
        if isinstance(item, dict)
        and isinstance(item.get("path"), str)
        and isinstance(item.get("message"), str)
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
