"""A proxy that makes a server on this machine seem far away: every byte takes its time, and none overtakes another.

    python benchmarks/away.py http://127.0.0.1:8000 --round-trip 50

It prints where it listens. Bytes are held for half of the round trip in each direction, however many are under way.
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

CHUNK = 65536


async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay_s: float) -> None:
    """Passes on what comes, each piece `delay_s` seconds after it came."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, piece = await under_way.get()
            await asyncio.sleep(due - loop.time())
            if not piece:
                with suppress(OSError):
                    sink.write_eof()
                return
            sink.write(piece)
            await sink.drain()

    delivering = asyncio.create_task(deliver())
    with suppress(OSError):
        while piece := await source.read(CHUNK):
            under_way.put_nowait((loop.time() + delay_s, piece))
    under_way.put_nowait((loop.time() + delay_s, b""))
    with suppress(OSError):
        await delivering


async def serve(target: str, delay_s: float) -> None:
    """Listens on a free port until it is killed."""
    parts = urlsplit(target)

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A handshake takes a round trip of its own.
        await asyncio.sleep(2 * delay_s)
        there, back = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(carry(reader, back, delay_s), carry(there, writer, delay_s))
        for end in (writer, back):
            end.close()

    server = await asyncio.start_server(join, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("--round-trip", type=float, default=50.0, metavar="MS", help="default 50")
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(given.target, given.round_trip / 2000))
