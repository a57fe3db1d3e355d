"""The live queue board and the wake-ups, in Redis: losable, never waited for by a webhook."""

import threading
from collections.abc import Callable
from typing import Any

import redis
import structlog

from ivr.call.state import CallState, Stage

log = structlog.get_logger()

BOARD = "offhold:board"  # hash: CallSid -> "queue position waited_s"
NEWS = "offhold:news"  # channel: "plan", "index", "switches", "incident", "recordings"
EVERY_S = 1.0
BOARD_LIVES_S = 300
CLOSE_S = 2.0  # more than a Redis that hangs can hold up a flush


def connect(url: str) -> "redis.Redis":
    """A client that gives up after 150 ms, once."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        url,
        socket_timeout=0.15,
        socket_connect_timeout=0.15,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def announce(client: "redis.Redis", what: str) -> None:
    """Tell all processes what is new. A Redis that is away is no matter: they look too."""
    try:
        client.publish(NEWS, what)
    except redis.RedisError:
        log.info("news_not_told", what=what)


class Board:
    """Collects hold turns and writes them once a second from a thread of its own."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        self._notes: dict[str, str | None] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, state: CallState) -> None:
        """Remember where a call stands; one that no longer holds goes off the board."""
        line = f"{state.queue} {state.position or 0} {state.waited_s}" if state.stage is Stage.HOLD else None
        with self._lock:
            self._notes[state.call_sid] = line
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="board", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Write what was noted so far; what a Redis that is away does not take is dropped."""
        with self._lock:
            notes, self._notes = self._notes, {}
        if not notes:
            return
        try:
            with self._client.pipeline(transaction=False) as pipe:
                here: dict[Any, Any] = {sid: line for sid, line in notes.items() if line is not None}
                gone = [sid for sid, line in notes.items() if line is None]
                if here:
                    pipe.hset(BOARD, mapping=here)
                if gone:
                    pipe.hdel(BOARD, *gone)
                pipe.expire(BOARD, BOARD_LIVES_S)
                pipe.execute()
        except redis.RedisError:
            log.info("board_not_written", calls=len(notes))

    def _write(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                self.flush()
            except Exception:  # the board is written again in a second, by this thread only
                log.exception("board_not_written")

    def close(self) -> None:
        """Stop, and write once more; afterwards nobody uses the client."""
        self._stop.set()
        with self._lock:
            writer = self._thread
        if writer is not None:
            writer.join(CLOSE_S)
        self.flush()


class News:
    """Listens for wake-ups and looks by itself every `look_s`, whichever comes first."""

    def __init__(self, client: "redis.Redis", look: Callable[[], None], look_s: float = 3.0) -> None:
        self._client = client
        self._look = look
        self._look_s = look_s
        self._stop = threading.Event()
        threading.Thread(target=self._listen, name="news", daemon=True).start()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._look()
            except Exception:
                log.exception("look_for_news_failed")
            self._wait()

    def _wait(self) -> None:
        try:
            client: Any = self._client  # pubsub() has no types of its own
            with client.pubsub(ignore_subscribe_messages=True) as channel:
                channel.subscribe(NEWS)
                waited = 0.0
                while waited < self._look_s and not self._stop.is_set():
                    if channel.get_message(timeout=0.1) is not None:
                        return
                    waited += 0.1
        except redis.RedisError:
            self._stop.wait(self._look_s)
        except Exception:  # a client that is closed meanwhile says so in many ways
            if not self._stop.is_set():
                log.exception("news_not_heard")
                self._stop.wait(self._look_s)

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
