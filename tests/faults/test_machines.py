"""Two machines, one number: replaced one after the other under live calls, cut off from a store, worn out by slow
senders.

What is asked afterwards is the carrier's ledger and ours: no call dropped, no answer lost, late or not understood, no
fact missing or twice, no text twice. `python -m tests.faults.machines MINUTES SEED` does it for as long as told.
"""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.phone.call import Call, Number
from ivr.phone.engine import Carrier
from models.facts import FactRow
from tests.faults.machines import (
    ACCOUNT,
    NUMBER,
    PUBLIC,
    TOKEN,
    Asked,
    Played,
    World,
    against,
    restart,
    world,
)
from tests.faults.wires import Mode

SLOW_SENDERS = 200
SLOWEST_S = 3.0  # at the very most; a second where nothing else runs (tests.faults.machines)
# What the migrations of a next release may do while this one still runs: they add.
EXPANDS = (
    "SET lock_timeout = '2s'",
    "ALTER TABLE calls ADD COLUMN next_release text",
    "ALTER TABLE facts ADD COLUMN next_release text",
    "ALTER TABLE texts ADD COLUMN next_release bool NOT NULL DEFAULT false",
    "ALTER TABLE articles ADD COLUMN next_release text",
    "CREATE TABLE next_release (id bigint PRIMARY KEY)",
    "CREATE INDEX CONCURRENTLY next_release_calls ON calls (next_release) WHERE next_release IS NOT NULL",
    "UPDATE alembic_version SET version_num = '9999'",
)


@pytest.fixture(scope="module")
def here(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(released, tmp_path_factory.mktemp("machines")) as ready:
        yield ready


def test_a_release_that_replaces_one_machine_after_the_other_loses_no_answer(here: World) -> None:
    before = len(here.played)
    with here.calls(4, hold_s=60):
        with here.connect() as conn:
            for statement in EXPANDS:
                conn.execute(statement)
        for machine in here.machines:  # the code that runs is the older one now
            machine.wait()
        for machine in here.machines:
            restart(machine)
    played = here.played[before:]
    here.settle(played)
    assert here.violations(played, slowest_s=SLOWEST_S) == []
    assert len(played) >= 8
    assert sum(len(one.carrier.messages) for one in played) >= len(played) - 4


@pytest.mark.parametrize("mode", ["cut", "silent"])
def test_a_machine_without_postgresql_keeps_callers_in_the_queue_and_its_facts_land_later(
    here: World, mode: Mode
) -> None:
    alone, other = here.machines
    alone.postgres.set(mode)
    try:
        cut_off = here.callers(4, hold_s=25, port=alone.port)
        beside = here.callers(1, hold_s=25, port=other.port)
    finally:
        alone.postgres.set("open")
    assert [one.carrier.messages for one in cut_off] == [[], [], [], []]
    assert {one.call.joined_queue for one in cut_off} == {"general"}
    here.settle([*cut_off, *beside])
    assert here.violations([*cut_off, *beside], slowest_s=SLOWEST_S) == []
    assert beside[0].call.joined_queue == "technical"
    alone.wait()


@pytest.mark.parametrize("mode", ["cut", "silent"])
def test_a_machine_without_valkey_serves_whole_calls(here: World, mode: Mode) -> None:
    alone = here.machines[0]
    alone.valkey.set(mode)
    try:
        played = here.callers(3, hold_s=60, port=alone.port)
        here.settle(played)
    finally:
        alone.valkey.set("open")
    assert here.violations(played, slowest_s=SLOWEST_S) == []
    assert [len(one.carrier.messages) for one in played] == [1, 1, 1]


def test_senders_that_never_end_their_requests_keep_nobody_waiting(here: World) -> None:
    begun = time.monotonic()
    head = b"POST /voice/incoming HTTP/1.1\r\nHost: calls\r\nContent-Length: 60000\r\n"
    slow = [socket.create_connection(("127.0.0.1", here.front)) for _ in range(SLOW_SENDERS)]
    try:
        for n, sender in enumerate(slow):
            sender.sendall(head + (b"\r\nCallSid=" if n % 2 else b""))
        played = here.callers(4, hold_s=40)
        assert time.monotonic() - begun < 60
        for sender in slow:
            sender.settimeout(30)
            assert _hung_up(sender)
    finally:
        for sender in slow:
            sender.close()
    here.settle(played)
    assert here.violations(played, slowest_s=SLOWEST_S) == []


def _hung_up(sender: socket.socket) -> bool:
    try:
        return not sender.recv(1000) or not sender.recv(1000)
    except ConnectionResetError:
        return True


AT = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
WELL = (
    "call_started",
    "menu_chosen",
    "held",
    "accepted",
    "text_queued",
    "sent",
    "delivered",
    "hung_up_in_queue",
    "call_ended",
)


def a_call() -> Played:
    carrier = Carrier(ACCOUNT, TOKEN, PUBLIC, NUMBER, start=AT)
    carrier.texts.create({"To": "+12025550143", "From": NUMBER, "Body": "the steps"})
    call = Call("+12025550143", NUMBER, Number(NUMBER), AT, ACCOUNT)
    return Played("+12025550143", carrier, call, [Asked("/voice/hold", 200, 0.01, 0)], took=True, hung_up=True)


def facts(*names: str) -> list[FactRow]:
    return [FactRow(n, "CA", name, AT, 1, None, {}) for n, name in enumerate(names)]


def test_a_call_that_went_well_is_not_complained_of() -> None:
    assert against(a_call(), facts(*WELL), slowest_s=1) == []


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ((*WELL, "sent"), "sent 2 times"),
        (WELL[1:], "no call_started"),
        (tuple(name for name in WELL if name != "text_queued"), "1 texts for 0 wanted"),
        ((*WELL, "text_queued"), "1 texts for 2 wanted"),
        (tuple(name for name in WELL if name != "accepted"), "a text that was promised is not on record"),
        (tuple(name for name in WELL if name != "delivered"), "a text came to no end"),
    ],
)
def test_what_is_wrong_on_record_is_found(names: tuple[str, ...], complaint: str) -> None:
    assert complaint in against(a_call(), facts(*names), slowest_s=1)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"hung_up": False}, "the call was dropped"),
        ({"asked": [Asked("/voice/hold", 502, 0.01, 0)]}, "/voice/hold answered 502"),
        ({"asked": [Asked("/voice/menu", 0, 0.01, 0)]}, "/voice/menu answered 0"),
        ({"asked": [Asked("/voice/menu", 200, 1.2, 0)]}, "/voice/menu took 1.20 s"),
    ],
)
def test_what_the_carrier_saw_is_found(change: dict[str, object], complaint: str) -> None:
    assert against(replace(a_call(), **change), facts(*WELL), slowest_s=1) == [complaint]  # type: ignore[arg-type]
