"""A network that can be told to fail: a TCP proxy in front of one server, from a thread of its own."""

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import Literal, Self

Mode = Literal["open", "cut", "silent", "slow"]
SLOW_S = 0.08  # for each piece that goes through
_LOOK_S = 0.02


class Wire:
    """Carries 127.0.0.1:`port` to a Unix socket or another port of this machine.

    `cut`: all connections are reset, and new ones at once. `silent`: nothing goes through, nobody is told. `slow`: each
    piece is held up.
    """

    def __init__(self, name: str, to: Path | int) -> None:
        self.name, self._to = name, to
        self.mode: Mode = "open"
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ends: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"wire-{name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def set(self, mode: Mode) -> None:
        """From now on."""
        self.mode = mode
        if mode == "cut":
            self._loop.call_soon_threadsafe(self._reset)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0))
        self.port = int(server.sockets[0].getsockname()[1])
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            server.close()
            self._reset()
            waiting = asyncio.all_tasks(self._loop)
            for task in waiting:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
            self._loop.close()

    def _reset(self) -> None:
        for end in tuple(self._ends):
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            await self._passes()
            if isinstance(self._to, Path):
                far_reader, far = await asyncio.open_unix_connection(str(self._to))
            else:
                far_reader, far = await asyncio.open_connection("127.0.0.1", self._to)
            self._ends.add(far)
            await asyncio.gather(self._pump(reader, far), self._pump(far_reader, writer))
        except OSError:
            pass
        finally:
            for end in (writer, far):
                if end is not None:
                    self._ends.discard(end)
                    end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            await self._passes()
            writer.write(piece)
            await writer.drain()
        with contextlib.suppress(OSError, NotImplementedError, RuntimeError):
            writer.write_eof()

    async def _passes(self) -> None:
        if self.mode == "slow":
            await asyncio.sleep(SLOW_S)
        while self.mode == "silent":
            await asyncio.sleep(_LOOK_S)
        if self.mode == "cut":
            raise ConnectionResetError("the wire is cut")
