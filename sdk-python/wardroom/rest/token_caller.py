from __future__ import annotations

from typing import Any, Callable

from ..errors import WardroomError
from ..session.credential import TakeToken
from .rest import Rest


class TokenCaller:
    """Calls with the tokens of an application's `get_token`. Refused with `refresh`, it calls once
    more with a newer one.
    """

    def __init__(
        self, rest: Rest, take: TakeToken, signed_out: Callable[[WardroomError], None]
    ) -> None:
        self._rest = rest
        self._take = take
        # The server knows nobody behind the token any more.
        self._signed_out = signed_out

    async def call(self, path: str, method: str = "GET", body: Any = None) -> Any:
        try:
            token = _token(await self._take("connect", None))
            try:
                return await self._rest.call(path, method, body, token=token)
            except WardroomError as error:
                if error.action != "refresh":
                    raise
            token = _token(await self._take("rejected", token))
            return await self._rest.call(path, method, body, token=token)
        except WardroomError as error:
            if error.action == "login":
                self._signed_out(error)
            raise


def _token(credential: object) -> str:
    if isinstance(credential, str):
        return credential
    raise TypeError("get_token: a ticket opens a connection, REST needs an access token")
