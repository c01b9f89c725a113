from __future__ import annotations

import asyncio
import inspect
from typing import Any, Awaitable, Callable, Literal, Mapping, Union

from ..errors import WardroomError
from ..tasks import Tasks, shared

#: Why a credential is asked for. `connect`: any valid one. `refresh`: a newer one, the present one
#: ends soon. `rejected`: a newer one, the server refused the present one.
TokenReason = Literal["connect", "refresh", "rejected"]

#: An access token, or a single-use ticket: `{"ticket": "..."}`.
Credential = Union[str, Mapping[str, str]]

#: `None` means that nobody is signed in. A function or a coroutine function.
GetToken = Callable[[TokenReason], Union[Credential, None, Awaitable[Union[Credential, None]]]]

#: The second argument is the credential the server saw last.
TakeToken = Callable[[TokenReason, Union[Credential, None]], Awaitable[Credential]]


def take_from_callback(get_token: GetToken, tasks: Tasks) -> TakeToken:
    """However many ask at once, the callback runs once."""
    pending: asyncio.Task[Credential] | None = None

    async def call(reason: TokenReason) -> Credential:
        nonlocal pending
        try:
            result: Any = get_token(reason)
            credential = await result if inspect.isawaitable(result) else result
        finally:
            pending = None
        if not credential:
            raise WardroomError("signed_out")
        return credential  # type: ignore[no-any-return]

    async def take(reason: TokenReason, _: Credential | None) -> Credential:
        nonlocal pending
        if pending is None:
            pending = tasks.share(call(reason))
        return await shared(pending)

    return take


def credential_fields(credential: Credential) -> dict[str, str]:
    if isinstance(credential, str):
        return {"token": credential}
    return {"ticket": credential["ticket"]}
