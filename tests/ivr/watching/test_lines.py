"""Who reads our log may stand still: nobody waits for it."""

import os
import time

import pytest

from ivr.watching import figures, lines
from ivr.watching.lines import AT_ONCE_BYTES, Lines


def lost() -> float:
    return figures.REGISTRY.get_sample_value("offhold_log_lines_lost_total") or 0.0


def test_lines_come_out_whole_in_their_order_and_in_pieces_that_a_pipe_takes_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[bytes] = []

    def write(_: int, piece: bytes) -> int:
        written.append(piece)
        return len(piece)

    monkeypatch.setattr(os, "write", write)
    told = Lines(1)
    for number in range(100):
        told.add(b"%d" % number * 60)
    told.close()
    assert b"".join(written).split() == [b"%d" % number * 60 for number in range(100)]
    assert len(written) > 1
    assert all(len(piece) <= AT_ONCE_BYTES and piece.endswith(b"\n") for piece in written)


def test_a_reader_that_stands_still_delays_nobody_and_what_it_does_not_take_is_counted() -> None:
    reading, writing = os.pipe()
    told, before = Lines(writing, most=500), lost()
    begun = time.perf_counter()
    for _ in range(3000):
        told.add(b"x" * 300)
        if _ == 1500:
            time.sleep(2 * lines.EVERY_S)  # the pipe is full by now, and the writing thread waits for it
    assert time.perf_counter() - begun < 20  # who waited for the reader would wait for ever
    assert lost() - before > 1000
    os.close(reading)  # it gives up: nobody is there any more


def test_nobody_there_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    told, before = Lines(writing), lost()
    told.add(b"gone")
    told.flush()
    assert lost() - before == 1
    os.close(writing)
