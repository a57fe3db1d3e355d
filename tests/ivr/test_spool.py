"""What is kept on disk while the database is away."""

import os
import time
from pathlib import Path

from ivr.spool import Kept, Spool, call_of

CALL, OTHER = "CA" + "1" * 32, "CA" + "2" * 32
NUMBER = "+12025550143"


def spool(folder: Path, most: int = 100) -> Spool:
    return Spool(folder / "spool", lambda words: words.encode()[::-1], lambda sealed: sealed[::-1].decode(), most)


def kept(at_ms: int, path: str = "/voice/status") -> Kept:
    return Kept(at_ms, path, None, "mark", {"From": NUMBER})


def test_what_is_kept_is_read_by_another_process_in_its_order(tmp_path: Path) -> None:
    ours, theirs = spool(tmp_path), spool(tmp_path)
    assert not theirs.holds(CALL)
    assert ours.put(CALL, kept(200))
    assert ours.put(OTHER, kept(100, "/voice/incoming"))
    assert theirs.holds(CALL)
    assert theirs.depth() == 2
    assert [(call_of(name), theirs.read(name).path) for name in theirs.waiting()] == [
        (OTHER, "/voice/incoming"),
        (CALL, "/voice/status"),
    ]


def test_the_end_of_a_call_comes_last_whenever_it_was_told(tmp_path: Path) -> None:
    ours = spool(tmp_path)
    ours.put(CALL, kept(100), last=True)
    ours.put(CALL, kept(101, "/voice/queue-result"))
    assert [ours.read(name).at_ms for name in ours.waiting()] == [101, 100]


def test_what_landed_is_gone(tmp_path: Path) -> None:
    ours = spool(tmp_path)
    ours.put(CALL, kept(1))
    for name in ours.waiting():
        ours.landed(name)
    assert (ours.depth(), ours.holds(CALL), spool(tmp_path).depth()) == (0, False, 0)


def test_there_is_a_most_that_is_kept_and_more_is_told(tmp_path: Path) -> None:
    ours = spool(tmp_path, most=2)
    assert [ours.put(CALL, kept(at)) for at in range(4)] == [True, True, False, False]
    assert (ours.depth(), ours.lost) == (2, 2)


def test_one_process_lands_at_a_time(tmp_path: Path) -> None:
    ours, theirs = spool(tmp_path), spool(tmp_path)
    ours.put(CALL, kept(1))
    with ours.alone() as mine, theirs.alone() as too:
        assert (mine, too) == (True, False)
    with theirs.alone() as mine:
        assert mine


def test_without_a_disk_it_is_kept_in_memory_until_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    ours = spool(tmp_path)
    assert ours.put(CALL, kept(1))
    assert ours.holds(CALL)
    (name,) = ours.waiting()
    assert ours.read(name) == kept(1)
    (tmp_path / "spool").unlink()
    assert ours.waiting() == [name]
    assert spool(tmp_path).holds(CALL)


def test_what_is_known_to_wait_goes_on_waiting_when_the_disk_cannot_be_read(tmp_path: Path) -> None:
    ours = spool(tmp_path)
    ours.put(CALL, kept(1))
    (tmp_path / "spool").rename(tmp_path / "away")
    (tmp_path / "spool").write_text("")  # no folder that could be listed
    assert ours.holds(CALL)
    (tmp_path / "spool").unlink()
    (tmp_path / "away").rename(tmp_path / "spool")
    assert ours.holds(CALL)


def test_whoever_dies_while_writing_leaves_nothing_to_land(tmp_path: Path) -> None:
    ours = spool(tmp_path)
    ours.put(CALL, kept(1))
    (name,) = ours.waiting()
    (tmp_path / "spool" / f"{name}.draft").write_bytes(b"half a web")
    assert spool(tmp_path).waiting() == [name]


def test_nothing_of_a_caller_is_readable_on_disk(tmp_path: Path) -> None:
    ours = spool(tmp_path)
    ours.put(CALL, kept(1))
    found = b"".join(path.read_bytes() for path in (tmp_path / "spool").iterdir())
    assert found
    assert NUMBER.encode() not in found
    assert {oct(path.stat().st_mode)[-2:] for path in [tmp_path / "spool"]} == {"00"}
    assert os.listdir(tmp_path) == ["spool"]


def test_what_is_kept_of_many_calls_is_listed_seldom_and_still_known(tmp_path: Path) -> None:
    ours, theirs = spool(tmp_path, most=10_000), spool(tmp_path, most=10_000)
    for at in range(400):
        ours.put(f"CA{at:032x}", kept(at))
    assert ours.holds(f"CA{399:032x}")
    until = time.monotonic() + 30
    while not theirs.holds(f"CA{399:032x}") and time.monotonic() < until:
        time.sleep(0.001)
    assert theirs.depth() == ours.depth() == 400
    for name in theirs.waiting()[:399]:
        theirs.landed(name)
    until = time.monotonic() + 30
    while ours.depth() > 1 and time.monotonic() < until:
        time.sleep(0.001)
    assert (ours.depth(), ours.holds(f"CA{0:032x}"), ours.holds(f"CA{399:032x}")) == (1, False, True)
