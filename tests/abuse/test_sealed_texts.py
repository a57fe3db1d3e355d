"""A dump opens no link and shows no text: texts of a call, answers to texts, those of a release that did not seal."""

import re
from dataclasses import replace

import pytest
from psycopg import Connection

from ivr import kept_texts
from ivr.carrier.inbound import Message
from ivr.console.actors import at_terminal
from ivr.jobs.answer_text import answer_text
from ivr.jobs.send_text import send_text
from ivr.jobs.sweep_texts import sweep_texts
from ivr.jobs.times import DEFAULT
from ivr.jobs.worker import drain
from ivr.resealing import reseal
from ivr.texts.numbers import Numbers
from ivr.visits import Arrival, visit
from models import site, texts
from tests.ivr.jobs.conftest import CALLER, OUR_NUMBER, Desk

LINK = re.compile(r"/r/([0-9A-Za-z]{11})\b")


def dumped(db: Connection) -> str:
    """All there is in the tables of texts."""
    rows = [row for table in ("texts", "inbound_texts") for row in db.execute(f"SELECT t::text FROM {table} t")]
    return "\n".join(str(row[0]) for row in rows)


def writes(desk: Desk, words: str, n: int = 1) -> str | None:
    return answer_text(desk.wiring, Message(f"SM{n:032x}", CALLER, OUR_NUMBER, words, None))


def seen(desk: Desk, token: str) -> bool:
    """Whether a link shows something."""
    return visit(desk.wiring, token, Arrival("GET", "get", "a telephone", "")) is not None


def plain(db: Connection) -> None:
    """As in a database that texts of the release before are in."""
    db.execute("DELETE FROM site WHERE key = %s", (kept_texts.SEALING,))


def test_a_dump_holds_no_link_that_opens_and_no_wording(desk: Desk, db: Connection) -> None:
    asked = desk.ask(db)
    drain(desk.wiring)
    assert asked is not None
    assert desk.carrier.accepted[0][1] == asked.body
    reply = writes(desk, "2")
    assert writes(desk, "2") == reply  # the same message again
    dump = dumped(db)
    assert asked.token in asked.body
    for secret in (asked.token, "Lumora", "Router light", *(LINK.findall(reply or ""))):
        assert secret not in dump
    kept = texts.read(db, asked.id)
    assert kept is not None
    assert seen(desk, asked.token)
    assert not seen(desk, kept.token)  # what stands in the dump is no token


def test_a_text_in_doubt_is_known_at_the_carrier_by_its_link(desk: Desk, db: Connection) -> None:
    asked = desk.ask(db)
    assert asked is not None
    with db.transaction():
        claimed = texts.claim(db, asked.id, desk.now, DEFAULT.lease)
        assert claimed is not None
        texts.unknown(db, claimed, desk.now, desk.now)
    desk.carrier.accepted.append((CALLER, asked.body, "SM" + "7" * 32))
    desk.pass_time(1)
    sweep_texts(desk.wiring, DEFAULT)
    found = texts.read(db, asked.id)
    assert found is not None
    assert (found.status, found.message_sid) == ("sent", "SM" + "7" * 32)


def test_a_text_whose_key_is_gone_is_reported_and_keeps_no_other_waiting(desk: Desk, db: Connection) -> None:
    asked, other = desk.ask(db), desk.ask(db, call=2)
    assert asked is not None
    assert other is not None
    db.execute("UPDATE texts SET body = 'sealed:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' WHERE id = %s", (asked.id,))
    assert send_text(desk.wiring, asked.id, DEFAULT)
    assert send_text(desk.wiring, other.id, DEFAULT)
    assert [row.status for row in (texts.read(db, one.id) for one in (asked, other)) if row] == ["failed", "sent"]


def test_texts_stay_readable_for_the_release_before_until_they_are_resealed(desk: Desk, db: Connection) -> None:
    plain(db)
    asked = desk.ask(db)
    assert asked is not None
    kept = texts.read(db, asked.id)
    assert kept is not None
    assert LINK.findall(kept.body) == [kept.token]  # what its worker sends, and its page looks for
    drain(desk.wiring)
    writes(desk, "my router light is red")
    db.execute("UPDATE texts SET body = '' WHERE kind = 'follow_up'")  # forgotten: its token is hidden all the same
    told = reseal(desk.wiring, at_terminal("tests"))
    assert told["texts"] >= 1
    assert (told.missed, site.get(db, kept_texts.SEALING)) == (0, "yes")
    assert asked.token not in dumped(db)
    assert "Lumora" not in dumped(db)
    assert seen(desk, asked.token)
    again = texts.read(db, asked.id)
    assert again is not None
    assert kept_texts.opened(desk.wiring, again).body == asked.body
    assert reseal(desk.wiring, at_terminal("tests")).total() == 0
    later = desk.ask(db, call=2, article="wifi-weak")
    assert later is not None
    assert later.token not in dumped(db)


def test_texts_and_answers_move_to_another_key(desk: Desk, db: Connection) -> None:
    asked = desk.ask(db)
    assert asked is not None
    reply = writes(desk, "2")
    settings = desk.wiring.settings
    both = Numbers(settings.hash_key(), [b"n" * 32, *settings.encryption_keys()])
    told = reseal(replace(desk.wiring, numbers=both), at_terminal("tests"))
    assert (told["texts"] >= 1, told["inbound_texts"], told.lost.total()) == (True, 1, 0)
    new = Desk(replace(desk.wiring, numbers=Numbers(settings.hash_key(), [b"n" * 32])), desk.carrier, desk.plan)
    kept = texts.read(db, asked.id)
    assert kept is not None
    assert kept_texts.opened(new.wiring, kept)[:] == (*asked[:],)
    assert writes(new, "2") == reply
    assert seen(new, asked.token)
    with pytest.raises(ValueError, match="not in NUMBER_ENCRYPTION_KEY"):
        kept_texts.opened(desk.wiring, kept)
