from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any, Mapping, NamedTuple, Protocol

import httpx

from ..clock import Clock
from ..debug import Debug
from ..errors import WardroomError, caused, error_from_wire
from ..json_text import json_text


class Caller(Protocol):
    """Calls REST in the name of somebody."""

    async def call(self, path: str, method: str = "GET", body: Any = None) -> Any: ...


class Abort:
    """Gives up the call it was passed to."""

    def __init__(self) -> None:
        self.sending: asyncio.Future[httpx.Response] | None = None

    def __call__(self) -> None:
        if self.sending:
            self.sending.cancel()


class RestOptions(NamedTuple):
    #: Without a slash at its end.
    base: str
    tls: ssl.SSLContext | None
    clock: Clock
    timeout_ms: float
    debug: Debug | None


class Rest:
    """Calls one server. Refusals raise what the problem document says; an unreachable server raises
    `network`.
    """

    def __init__(self, options: RestOptions) -> None:
        self._options = options
        self._http: httpx.AsyncClient | None = None

    async def call(
        self,
        path: str,
        method: str = "GET",
        body: Any = None,
        *,
        token: str | None = None,
        abort: Abort | None = None,
    ) -> Any:
        """`body` is any JSON value; None: no body."""
        headers = {"accept": "application/json, application/problem+json"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        response = await self._send(path, method, body, headers, abort or Abort())
        answer = _parse(response.text)
        if response.is_success:
            return answer
        raise _refusal(response, answer)

    async def close(self) -> None:
        """A later call opens connections anew."""
        http, self._http = self._http, None
        if http:
            await http.aclose()

    async def _send(
        self, path: str, method: str, body: Any, headers: Mapping[str, str], abort: Abort
    ) -> httpx.Response:
        base, tls, clock, timeout_ms, debug = self._options
        if self._http is None:
            self._http = httpx.AsyncClient(
                verify=True if tls is None else tls, timeout=None, limits=httpx.Limits()
            )
        content = None if body is None else json_text(body).encode()
        if content is not None:
            headers = {**headers, "content-type": "application/json"}
        request = self._http.request(method, base + path, content=content, headers=headers)
        sending = abort.sending = asyncio.ensure_future(request)
        timer = clock.call_later(timeout_ms, sending.cancel)
        place = f"{method} {path.split('?')[0]}"
        try:
            await asyncio.wait({sending})
        finally:
            timer.cancel()
            sending.cancel()
        if sending.cancelled() or sending.exception():
            if debug:
                debug(f"{place}: no answer")
            cause = None if sending.cancelled() else sending.exception()
            raise caused(WardroomError("network"), cause)
        response = sending.result()
        if debug:
            debug(f"{place}: {response.status_code}")
        return response


def _refusal(response: httpx.Response, answer: Any) -> WardroomError:
    if isinstance(answer, dict) and "code" in answer:
        return error_from_wire(answer, response.status_code)
    # Not our server's words: a proxy or a load balancer.
    is_temporary = response.status_code >= 500 or response.status_code == 429
    seconds = response.headers.get("retry-after", "")
    return WardroomError(
        "bad_answer",
        action="retry" if is_temporary else "none",
        retry_after_ms=float(seconds) * 1000 if seconds.isdecimal() else None,
        status=response.status_code,
    )


def _parse(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
