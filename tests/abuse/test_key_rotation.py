"""Another key for numbers and words: everything is sealed anew, beside calls, and the old key can go (S15)."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskCliRunner

from config.settings import Settings
from ivr.app import create_app
from ivr.call import state as states
from ivr.texts.numbers import Numbers
from ivr.turn import SEALED
from ivr.wiring import Wiring
from models import api_answers, calls, hooks, numbers, sealed, staff, transcripts
from tests.ivr.web.conftest import CALL, CALLER, Carrier, Clock
from tests.ivr.web.test_voice import action

NEW = b"n" * 32
SAID = "my light is red and it blinks"


def with_keys(wiring: Wiring, *keys: bytes) -> Wiring:
    """The same site after a start with other keys."""
    return replace(wiring, numbers=Numbers(wiring.settings.hash_key(), keys))


@pytest.fixture
def old(wiring: Wiring, carrier: Carrier, clock: Clock) -> bytes:
    """Everything that is ever sealed, under the key of the first run: in columns, and within a call."""
    answer = carrier.call("/voice/incoming", CallStatus="ringing")
    answer = carrier.call(action(answer), Digits="3")
    answer = carrier.call(action(answer), Digits="2")
    carrier.call(action(answer), SpeechResult=SAID, Confidence="0.9")
    seal, now = wiring.numbers.seal, clock()
    with wiring.pool.connection() as conn:
        numbers.keep(conn, wiring.numbers.key(CALLER), seal(CALLER), now)
        staff_id = staff.add(conn, "a@lumora.example", "A", "admin", "en", now)
        conn.execute("UPDATE staff SET totp_sealed = %s WHERE id = %s", (seal("TOTP"), staff_id))
        hook = hooks.add(conn, "https://x.example/", ["held"], seal("hook"), "tests", now)
        conn.execute("UPDATE hooks SET old_secret = %s WHERE id = %s", (seal("older"), hook))
        conn.execute(
            "INSERT INTO exports (form, target, secret, since, made_by, made_at)"
            " VALUES ('json', 'https://x.example/', %s, '2026-11-01', 'tests', now())", (seal("export"),),
        )  # fmt: skip
        conn.execute(
            "INSERT INTO studies (kind, state, asked_by, asked_at, calls, words)"
            " VALUES ('mapping', 'done', 'tests', now(), 0, %s)", (seal("[]"),),
        )  # fmt: skip
        api_answers.keep(conn, 1, "key", api_answers.Known(b"asked", 200, seal("{}")), now)
    return wiring.settings.encryption_keys()[0]


def every_sealed(wiring: Wiring) -> Iterator[bytes]:
    with wiring.pool.connection() as conn:
        for table, columns in sealed.COLUMNS.items():
            for column in columns:
                found = [content for _, content in sealed.all_of(conn, table, column)]
                assert found, f"nothing in {table}.{column} to be sealed anew"
                yield from found
        for _, text, reply in sealed.calls(conn):
            state = states.from_json(text)
            yield from (base64.b64decode(one) for one in (state.transcript, state.keyed) if one)
            if reply.startswith(SEALED):
                yield base64.b64decode(reply.removeprefix(SEALED))


def runner(wiring: Wiring) -> FlaskCliRunner:
    return create_app(wiring).test_cli_runner()


def test_every_column_that_holds_something_sealed_is_known(wiring: Wiring) -> None:
    """By what the tables say of themselves: all bytes there are, but for hashes, signatures, sounds and index parts."""
    open_ones = {"index_chunks", "recordings", "statements"}
    with wiring.pool.connection() as conn:
        rows = conn.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type = 'bytea'"
        ).fetchall()
    hashes = {"hash", "id_hash", "token_hash", "code_hash", "request", "sha256"}
    found = {(table, column) for table, column in rows if table not in open_ones and column not in hashes}
    assert found == {(table, column) for table, columns in sealed.COLUMNS.items() for column in columns}


def test_after_a_rotation_the_new_key_alone_opens_everything(wiring: Wiring, old: bytes) -> None:
    before = [wiring.numbers.open(one) for one in every_sealed(wiring)]
    assert SAID in before
    done = runner(with_keys(wiring, NEW, old)).invoke(args=["privacy", "reseal"])
    assert done.exit_code == 0, done.output
    assert "transcripts: 1\n" in done.output
    assert "nothing in the database needs an older key" in done.output
    new = with_keys(wiring, NEW)
    assert [new.numbers.open(one) for one in every_sealed(wiring)] == before
    again = runner(with_keys(wiring, NEW, old)).invoke(args=["privacy", "reseal"])
    assert "transcripts" not in again.output


def test_without_it_the_old_key_cannot_go_and_the_command_says_what_nobody_can_read(wiring: Wiring, old: bytes) -> None:
    new = with_keys(wiring, NEW)
    with wiring.pool.connection() as conn, pytest.raises(ValueError, match="a key that is not in"):
        new.numbers.open(transcripts.of_call(conn, CALL)[0])
    done = runner(new).invoke(args=["privacy", "reseal"])
    assert "transcripts: 1 sealed under a key that is not in NUMBER_ENCRYPTION_KEY" in done.output


def test_a_call_goes_on_through_a_rotation(
    wiring: Wiring, old: bytes, carrier: Carrier, clock: Clock, settings: Settings
) -> None:
    assert runner(with_keys(wiring, NEW, old)).invoke(args=["privacy", "reseal"]).exit_code == 0
    clock.on(timedelta(seconds=30).total_seconds())
    site = with_keys(wiring, NEW)
    site.recent.forget(CALL)
    other = Carrier(create_app(site).test_client(), settings)
    answer = other.call("/voice/hold", QueueTime="30", QueuePosition="5")
    assert answer.status_code == 200
    with wiring.pool.connection() as conn:
        kept = calls.load(conn, CALL)
    assert kept is not None
    assert site.numbers.open(base64.b64decode(states.from_json(kept.state).transcript)) == SAID
