"""The embedded stores: nothing lost, nothing left running, whoever ends whom and how."""

import contextlib
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis

from config import folders, machine
from config.settings import Settings, load
from ivr.stores import Stores, for_settings, wait_until_ready
from ivr.stores.servers import StoresError, command_of

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 30.0


class Program:
    """`python -m ivr.stores` as its own process."""

    def __init__(self, data_dir: Path, *arguments: str) -> None:
        self.data_dir = data_dir
        environ = {"DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ivr.stores", *arguments],
            env=environ,
            cwd=data_dir.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def said(self, expected: str) -> str:
        """The first line of output with `expected` in it."""
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if expected in line:
                return line
        raise AssertionError(f"{expected!r} was never said: {seen}")

    def ended(self) -> tuple[int, str]:
        """Its status and the rest of its output."""
        output, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, output

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(folders.postgres_url(self.data_dir, 5432), autocommit=True)


def pids(data_dir: Path) -> list[int]:
    """The processes of the servers in `data_dir`."""
    return [
        process.pid
        for process in psutil.process_iter()
        if str(data_dir) in (command := command_of(process.pid))
        and ("bin/postgres " in command or "valkey-server" in command)
    ]


def wait_until_gone(data_dir: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while pids(data_dir):
        assert time.monotonic() < end, f"still running: {pids(data_dir)}"
        time.sleep(0.1)


def kill_all(data_dir: Path) -> None:
    for pid in pids(data_dir):
        os.kill(pid, signal.SIGKILL)
    wait_until_gone(data_dir)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that has had its first run, so that the others are quick. Below a folder that only we may enter."""
    folder = tmp_path_factory.mktemp("stores") / "var"
    with Stores(folder) as stores:
        assert len(pids(folder)) == 2
        with psycopg.connect(stores.database_url(), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (word text)")
    assert pids(folder) == []
    return folder


@pytest.fixture
def program(data_dir: Path) -> Iterator[Program]:
    started = Program(data_dir)
    try:
        started.said("The stores are ready.")
        yield started
    finally:
        if started.process.poll() is None:
            started.process.terminate()
        started.process.communicate(timeout=PATIENCE_S)
        wait_until_gone(data_dir)


def words(data_dir: Path) -> set[str]:
    with Stores(data_dir) as stores, psycopg.connect(stores.database_url()) as connection:
        return {word for (word,) in connection.execute("SELECT word FROM kept")}


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_both_and_keeps_what_was_written(program: Program, sign: signal.Signals) -> None:
    with program.connect() as connection:
        connection.execute("INSERT INTO kept VALUES (%s)", (sign.name,))
    program.process.send_signal(sign)
    status, output = program.ended()
    assert (status, output) == (0, "The stores have stopped.\n")
    assert pids(program.data_dir) == []
    assert sign.name in words(program.data_dir)


def test_the_first_start_notes_whose_the_stores_are(data_dir: Path) -> None:
    assert folders.machine_note(data_dir).read_text().splitlines() == [machine.this_machine(), platform.node()]


def test_the_stores_stop_after_their_clients(program: Program) -> None:
    with program.connect() as connection:
        program.process.terminate()
        time.sleep(1.0)
        connection.execute("INSERT INTO kept VALUES ('a last word')")
    assert program.ended()[0] == 0
    assert "a last word" in words(program.data_dir)


def test_a_client_that_stays_is_not_waited_for_longer_than_honcho_waits(program: Program) -> None:
    with contextlib.closing(program.connect()):
        began = time.monotonic()
        program.process.terminate()
        assert program.ended()[0] == 0
        assert 2.5 < time.monotonic() - began < 5.0


def test_a_killed_parent_loses_nothing_and_its_servers_end_at_the_latest_with_the_next_start(
    program: Program,
) -> None:
    with program.connect() as connection:
        connection.execute("INSERT INTO kept VALUES ('before the end')")
    left = set(pids(program.data_dir))
    program.process.kill()
    program.ended()
    if sys.platform == "linux":  # which tells a child of its parent's end
        wait_until_gone(program.data_dir)
    assert "before the end" in words(program.data_dir)
    assert not left & set(pids(program.data_dir))


def test_a_second_start_says_who_holds_the_folder(program: Program) -> None:
    status, output = Program(program.data_dir).ended()
    assert status == 1
    assert f"are run by process {program.process.pid} already" in output
    assert len(pids(program.data_dir)) == 2


def test_a_store_that_dies_is_started_again(program: Program) -> None:
    postgres, valkey = Stores(program.data_dir).postgres, Stores(program.data_dir).valkey
    assert postgres is not None
    assert valkey is not None
    for pid in pids(program.data_dir):
        os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + PATIENCE_S
    while not (postgres.answers() and valkey.answers()):
        assert time.monotonic() < end
        time.sleep(0.1)
    with program.connect() as connection:
        connection.execute("SELECT word FROM kept")


def test_a_store_that_dies_again_and_again_is_given_up(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Stores(data_dir, postgres=False) as stores:
        for _ in range(5):
            kill_all(data_dir)
            assert "is started again" in watched(stores, capsys)
        kill_all(data_dir)
        with pytest.raises(StoresError, match="Valkey ends again and again"):
            watched(stores, capsys)


def watched(stores: Stores, capsys: pytest.CaptureFixture[str]) -> str:
    """What is told when a store that was killed is missed: on a busy machine that takes a moment."""
    until = time.monotonic() + 20
    told = ""
    while not told and time.monotonic() < until:
        stores.watch()
        told = capsys.readouterr().out
    return told


def test_a_pid_that_now_is_another_process_counts_as_gone(data_dir: Path) -> None:
    pid_file = data_dir / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{data_dir / 'postgres'}\n1\n5432\n{data_dir / 'run'}\n\n\nready\n")
    assert isinstance(words(data_dir), set)


def test_a_server_an_earlier_run_left_behind_is_ended(data_dir: Path) -> None:
    first = Stores(data_dir)
    first.start()
    left = pids(data_dir)
    assert first._lock is not None
    os.close(first._lock)  # as the kernel does for a process that was killed
    first._lock = None
    with Stores(data_dir):
        assert not set(left) & set(pids(data_dir))
    first.stop()
    assert pids(data_dir) == []


def test_a_long_path_gets_a_short_folder_for_its_sockets(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100) / "var"
    with Stores(long, postgres=False) as stores:
        folder = folders.sockets_folder(long)
        assert len(str(folder)) < folders.LONGEST_SOCKET_PATH
        assert folders.sockets_note(long).read_text() == f"{folder}\n"
        assert folder.stat().st_mode & 0o777 == 0o700
        with Redis.from_url(stores.redis_url()) as client:
            assert client.ping()
    folder.rmdir()


def test_a_foreign_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    long = tmp_path / ("y" * 100) / "var"
    folders.sockets_folder(long).symlink_to(tmp_path)
    try:
        with pytest.raises(StoresError, match="belongs to somebody else"):
            Stores(long, postgres=False).start()
    finally:
        folders.sockets_folder(long).unlink()


def test_a_command_runs_with_the_stores_up_and_gives_its_status(data_dir: Path) -> None:
    ask = "from config.settings import load; from ivr.stores import wait_until_ready; wait_until_ready(load(), 1)"
    assert Program(data_dir, "run", "--", sys.executable, "-c", ask).ended() == (0, "")
    assert Program(data_dir, "run", "--", "sh", "-c", "exit 7").ended()[0] == 7
    assert pids(data_dir) == []


def test_a_command_under_the_stores_is_told_to_end(data_dir: Path) -> None:
    program = Program(data_dir, "run", "--", "sh", "-c", "echo begun; exec sleep 60")
    program.said("begun")
    program.process.terminate()
    assert program.ended()[0] == 128 + signal.SIGTERM
    assert pids(data_dir) == []


def test_only_what_the_settings_leave_to_us_is_run(settings: Settings) -> None:
    elsewhere = for_settings(settings)
    assert (elsewhere.postgres, elsewhere.valkey) == (None, None)


def test_waiting_names_the_store_that_does_not_answer(tmp_path: Path) -> None:
    nowhere = load({"DATA_DIR": str(tmp_path)}, dotenv=None)
    with pytest.raises(StoresError, match=r"The server at DATABASE_URL did not answer within 0\.2 s"):
        wait_until_ready(nowhere, 0.2)


def test_nothing_is_waited_for_when_both_answer(settings: Settings) -> None:
    wait_until_ready(settings, 5)
