"""An echo bot: answers each message of a room that begins with "echo ".

WARDROOM_URL, WARDROOM_TENANT, WARDROOM_EMAIL and WARDROOM_PASSWORD say where and as whom,
WARDROOM_ROOM in which room. It ends when its session ends, and says why.
"""

import asyncio
import os
import sys

from wardroom import Client, WardroomError


def setting(name: str) -> str:
    if not (value := os.environ.get(f"WARDROOM_{name}")):
        sys.exit(f"Set WARDROOM_{name}.")
    return value


async def main() -> None:
    async with Client(setting("URL")) as client:
        client.on("waiting", lambda event: print("waiting:", event.why.code, flush=True))
        client.on("signed_out", lambda why: print("signed out:", why.code, flush=True))
        await client.login(
            tenant=setting("TENANT"),
            email=setting("EMAIL"),
            password=setting("PASSWORD"),
            device="bot",
        )
        me = (await client.connect())["user_id"]
        room = client.room(setting("ROOM"))
        subscribed = await room.subscribe()
        if subscribed["role"] is None:
            # Everybody may read a public room; its members may write.
            await client.api.rooms.join(room.ref)
        print("listening:", subscribed["room"], flush=True)
        async for message in room.messages():
            body = message["body"]
            text = body.get("text") if isinstance(body, dict) else None
            if message["sender"] == me or not isinstance(text, str):
                continue
            if text.startswith("echo "):
                try:
                    # The answer to a message is always the same operation: it is never given twice.
                    op_id = f"echo-{message['message_id']}"
                    answer = {"text": text.removeprefix("echo ")}
                    await room.publish(answer, op_id=op_id, reply_to=message["message_id"])
                except WardroomError as error:
                    print("refused:", error.code, flush=True)


try:
    asyncio.run(main())
except WardroomError as error:
    sys.exit(f"{error.kind}: {error}")
