"""A network in between: takes TCP connections and carries them to a store, until it is cut, freezes or gets slow."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Literal

State = Literal["open", "cut", "frozen"]


class Wire:
    """From a port of this machine to a Unix socket. All methods may be called from any thread."""

    def __init__(self, to: Path) -> None:
        self._to, self.state, self.slow_s = to, "open", 0.0
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._thread.start()
        self._server = self._run(self._listen(0))
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._loop.call_soon_threadsafe(self._flows.set)

    def cut(self) -> None:
        """Every connection is reset and new ones are refused, as by a store that is gone."""
        self._run(self._end("cut"))

    def freeze(self) -> None:
        """Nothing is carried any more and nobody is told, as by a network that drops all packets."""
        self._run(self._end("frozen"))

    def mend(self) -> None:
        """As at the beginning; who was frozen goes on."""
        self._run(self._mended())

    def close(self) -> None:
        """The end of it."""
        self._run(self._end("cut"))
        self._run(self._carried())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _run(self, doing: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(10)

    async def _listen(self, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._carry, "127.0.0.1", port)

    async def _end(self, state: State) -> None:
        self.state = state
        self._flows.clear()
        if state == "frozen":
            return
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()
        self._flows.set()  # whoever is frozen finds its connection gone
        await asyncio.sleep(0)

    async def _carried(self) -> None:
        """Until nobody carries any more."""
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _mended(self) -> None:
        if self.state == "cut":
            self._server = await self._listen(self.port)
        self.state, self.slow_s = "open", 0.0
        self._flows.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            await self._flows.wait()
            far_reader, far = await asyncio.open_unix_connection(str(self._to))
            self._open.add(far)
            ways = [asyncio.create_task(self._pour(*way)) for way in ((reader, far), (far_reader, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        except OSError:
            pass
        finally:
            for one in (writer, far):
                if one is not None:
                    self._open.discard(one)
                    one.close()

    async def _pour(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self.slow_s:
                    await asyncio.sleep(self.slow_s)
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
