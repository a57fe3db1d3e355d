"""The processes of one server know each other's figures, and when it is about to stop."""

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.watching import figures, together
from ivr.watching.together import Server, Together, folder_of


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    started = Server()
    yield started
    started.close()


def test_whoever_is_asked_tells_of_all_of_them_and_leaves_out_who_stands_still(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "WITHIN_S", 0.1)
    first, second = Together(os.getpid()), Together(os.getpid())
    figures.count_lost_lines(0)
    silent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    silent.bind(str(folder_of(os.getpid()) / "7.socket"))
    silent.listen()
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(folder_of(os.getpid()) / "8.socket"))
    dead.close()
    for one in (first, second):
        found = one.all()
        assert sorted(found) == ["web-0", "web-1"]
        for families in found.values():
            assert "offhold_log_lines_lost" in [name for name, *_ in families]
    silent.close()


def test_who_comes_after_one_that_died_takes_its_place(server: Server) -> None:
    first = Together(os.getpid())
    assert first._place is not None
    first._place.close()
    assert Together(os.getpid()).name == "web-0"


def test_a_server_that_is_told_to_stop_says_so_to_all_its_processes(server: Server) -> None:
    one = Together(os.getpid())
    before = one.stopping
    server.is_stopping()
    assert (before, one.stopping) == (False, True)
    server.close()
    assert not folder_of(os.getpid()).exists()


def test_a_folder_of_somebody_else_is_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    folder_of(os.getpid()).mkdir(mode=0o777)
    folder_of(os.getpid()).chmod(0o777)
    alone = Together(os.getpid())
    assert (alone.name, list(alone.all()), alone.stopping) == ("web", ["web"], False)
    assert list(folder_of(os.getpid()).iterdir()) == []
