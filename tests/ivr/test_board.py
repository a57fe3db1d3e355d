"""The queue board: written by one thread, which nothing ends but its own `close`."""

import socket
import threading
import time
from collections.abc import Callable

import pytest
from redis import Redis

from ivr import board as boards
from ivr.board import BOARD, Board, News, connect
from ivr.call.state import Caller, CallerKind, CallState, Stage
from ivr.call.values import replace

ENDED = replace(CallState("CA1", 1, Caller(CallerKind.MOBILE, "k", 0), "+15005550006", 0), stage=Stage.ENDED)
HOLDING = replace(ENDED, stage=Stage.HOLD, queue="technical", position=2)


def soon(true: Callable[[], object], within_s: float = 5) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until and not true():
        time.sleep(0.01)
    return bool(true())


def test_where_a_call_stands_is_written_and_taken_away(redis: Redis, redis_url: str) -> None:
    board = Board(connect(redis_url))
    board.note(HOLDING)
    board.flush()
    assert redis.hget(BOARD, "CA1") == "technical 2 0"
    board.note(ENDED)
    board.close()
    assert redis.hget(BOARD, "CA1") is None


def test_who_closes_waits_for_a_write_that_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "EVERY_S", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes the connection, and answers nothing
        client = connect(f"redis://127.0.0.1:{deaf.getsockname()[1]}/0")
        board = Board(client)
        board.note(HOLDING)
        deaf.settimeout(10)
        connection, _ = deaf.accept()
        with connection:
            board.close()
            assert board._thread is not None
            assert not board._thread.is_alive()
            client.close()


def test_what_goes_wrong_once_does_not_end_the_writing(
    redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "EVERY_S", 0.01)
    board = Board(connect(redis_url))
    tried = threading.Event()

    def fail() -> None:
        tried.set()
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(board, "flush", fail)
        board.note(HOLDING)
        assert tried.wait(10)
    assert soon(lambda: redis.hget(BOARD, "CA1"))
    board.close()


def test_an_error_no_redis_knows_of_does_not_end_the_listening(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client, looks = connect(redis_url), []
    monkeypatch.setattr(client, "pubsub", lambda **_: 1 / 0)
    news = News(client, lambda: looks.append("looked"), 0.01)
    assert soon(lambda: len(looks) > 2, 30)
    news.close()
