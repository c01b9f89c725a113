"""Wardroom for a backend: sign your users in, publish, sign them out.

Python 3.9 or newer, without a dependency. WARDROOM_URL and WARDROOM_KEY (`wr_sk_...`) come from
the environment.
"""
import json
import os
import urllib.error
import urllib.request


class Refused(Exception):
    """Wardroom refused; `code` is one of docs/protocol.md."""

    def __init__(self, code, detail):
        super().__init__(f"{code}: {detail}")
        self.code = code


def call(path, body, headers=None):
    request = urllib.request.Request(
        os.environ["WARDROOM_URL"] + path,
        data=json.dumps(body).encode(),
        method="POST",
        headers={
            "Authorization": f"Bearer {os.environ['WARDROOM_KEY']}",
            "Content-Type": "application/json",
            **(headers or {}),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        problem = json.load(error)
        raise Refused(problem["code"], problem["detail"]) from None


def sign_in(external_id, name):
    """Tokens for the browser of your user. The first call makes the user."""
    return call("/v1/service/sessions", {"external_id": external_id, "name": name})


def sign_out(external_id):
    """Ends every session of your user; they are out when this returns."""
    return call("/v1/service/sessions/revoke", {"external_id": external_id})


def create_room(slug, name):
    """A room of your product; `slug` names it in later calls."""
    return call("/v1/rooms", {"slug": slug, "name": name, "visibility": "public"})


def join(external_id, room):
    """Makes your user a member."""
    return call(f"/v1/rooms/{room}/join", {}, {"Wardroom-Act-As": f"external:{external_id}"})


def publish(room, body, op_id):
    """The same `op_id` publishes once, however often it is sent."""
    return call(f"/v1/rooms/{room}/messages", {"body": body}, {"Idempotency-Key": op_id})


def publish_as(external_id, room, body, op_id):
    """In the name of your user, with their rights."""
    headers = {"Idempotency-Key": op_id, "Wardroom-Act-As": f"external:{external_id}"}
    return call(f"/v1/rooms/{room}/messages", {"body": body}, headers)
