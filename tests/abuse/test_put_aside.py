"""Webhooks that the database refused for good lie on this disk: not for ever, and not of one who was erased."""

from datetime import timedelta
from pathlib import Path

from config.folders import spool_folder
from ivr.console.actors import at_terminal
from ivr.console.privacy import erase_number
from ivr.jobs.erase_old import erase_old
from ivr.spool import Kept
from ivr.wiring import Wiring
from tests.ivr.web.conftest import Clock

ONE, OTHER = "+12025550143", "+12025550155"


def put_aside(wiring: Wiring, clock: Clock, number: str, call: str) -> None:
    at_ms = int(clock().timestamp() * 1000)
    wiring.spool.put(call, Kept(at_ms, "/voice/status", None, "", {"From": number, "CallSid": call}))
    for name in wiring.spool.waiting():
        wiring.spool.put_aside(name)


def aside(wiring: Wiring) -> list[Path]:
    return sorted(spool_folder(wiring.settings.data_dir).glob("*.refused"))


def test_they_go_after_thirty_days(wiring: Wiring, clock: Clock) -> None:
    put_aside(wiring, clock, ONE, "CA" + "1" * 32)
    clock.on(timedelta(days=29) / timedelta(seconds=1))
    put_aside(wiring, clock, OTHER, "CA" + "2" * 32)
    erase_old(wiring)
    assert len(aside(wiring)) == 2
    clock.on(timedelta(days=2) / timedelta(seconds=1))
    erase_old(wiring)
    (left,) = aside(wiring)
    assert "CA2" in left.name


def test_what_a_process_that_died_while_writing_left_goes_as_well(wiring: Wiring, clock: Clock) -> None:
    put_aside(wiring, clock, ONE, "CA" + "1" * 32)
    (file,) = aside(wiring)
    left = file.rename(file.with_name(file.name.replace(".refused", ".draft")))
    clock.on(timedelta(days=29) / timedelta(seconds=1))
    erase_old(wiring)
    assert left.exists()
    clock.on(timedelta(days=2) / timedelta(seconds=1))
    erase_old(wiring)
    assert not left.exists()


def test_those_of_one_who_is_erased_go_at_once(wiring: Wiring, clock: Clock) -> None:
    put_aside(wiring, clock, ONE, "CA" + "1" * 32)
    put_aside(wiring, clock, OTHER, "CA" + "2" * 32)
    done = erase_number(wiring, at_terminal("tests"), number=ONE, again=ONE, why="asked by letter")
    assert done.removed["kept aside"] == 1
    (left,) = aside(wiring)
    assert "CA2" in left.name
