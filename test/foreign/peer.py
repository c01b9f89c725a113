"""A client on the Python library `websockets`: a line of input is a frame to send, frames and the close are printed as lines."""
import asyncio
import json
import sys
import threading

import websockets
from websockets.exceptions import ConnectionClosed


async def main(opening):
    loop = asyncio.get_running_loop()
    lines = asyncio.Queue()

    def read():
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line.rstrip("\n"))

    # The library renamed the option in version 14.
    named = "additional_headers" if int(websockets.__version__.split(".")[0]) >= 14 else "extra_headers"
    options = {named: opening.get("headers", {}), "subprotocols": opening.get("protocols"), "origin": opening.get("origin")}
    async with websockets.connect(opening["url"], **options) as socket:
        threading.Thread(target=read, daemon=True).start()

        async def send():
            while True:
                await socket.send(await lines.get())

        sending = asyncio.create_task(send())
        try:
            async for text in socket:
                say({"frame": json.loads(text)})
        except ConnectionClosed:
            pass
        sending.cancel()
        say({"code": socket.close_code, "reason": socket.close_reason, "subprotocol": socket.subprotocol})


def say(value):
    print(json.dumps(value), flush=True)


asyncio.run(main(json.loads(sys.argv[1])))
