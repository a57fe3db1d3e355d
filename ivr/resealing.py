"""After NUMBER_ENCRYPTION_KEY got a new first key: seal everything under it, so that the old one can be taken away."""

import base64
from collections import Counter

import structlog
from psycopg import Connection

from ivr import kept_texts
from ivr.call import state as states
from ivr.call.values import replace
from ivr.console.actors import Actor
from ivr.turn import SEALED
from ivr.wiring import Wiring
from models import audit, erase, sealed, site

log = structlog.get_logger()


class Resealed(Counter[str]):
    """By table how much was sealed anew. `lost`: sealed under a key that is gone, by table; `missed`: what changed
    while it was being done, which another run finds; `on_disk`: webhooks that wait on this machine."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: Counter[str] = Counter()
        self.missed = 0
        self.on_disk = 0

    def note(self, table: str, put: bool) -> None:
        """One more, or one that changed meanwhile."""
        if put:
            self[table] += 1
        else:
            self.missed += 1

    @property
    def done(self) -> bool:
        """Whether nothing here needs an older key any more."""
        return not (self.missed or self.on_disk)


def reseal(wiring: Wiring, by: Actor) -> Resealed:
    """Seal anew whatever is sealed under an older key, and texts of a release that did not seal them. First every
    process must know the new key, and be of a release that opens texts. May be run again."""
    told = Resealed()
    with wiring.pool.connection() as reading, wiring.pool.connection() as writing:
        with erase.unhurried(reading):
            for table, columns in sealed.COLUMNS.items():
                for column in columns:
                    _column(wiring, reading, writing, (table, column), told)
            _calls(wiring, reading, writing, told)
            site.put(writing, kept_texts.SEALING, "yes")  # whoever queues a text from now on seals it
            _texts(wiring, reading, writing, told)
        told.on_disk = len(wiring.spool.waiting())
        with writing.transaction():
            audit.note(
                writing, who=by.key, what="numbers.resealed", on="NUMBER_ENCRYPTION_KEY", after=dict(told),
                why="the key rotates", at=wiring.clock(),
            )  # fmt: skip
    log.info("resealed", count=told.total(), lost=told.lost.total(), missed=told.missed)
    return told


def _column(wiring: Wiring, reading: Connection, writing: Connection, where: tuple[str, str], told: Resealed) -> None:
    table, column = where
    for place, old in sealed.all_of(reading, table, column):
        try:
            new = wiring.numbers.reseal(old)
        except ValueError:
            told.lost[table] += 1
            continue
        if new is None:
            continue
        told.note(table, sealed.put(writing, table, column, place, old, new))


def _calls(wiring: Wiring, reading: Connection, writing: Connection, told: Resealed) -> None:
    for call_sid, text, reply in sealed.calls(reading):
        try:
            new = (_state(wiring, text), _reply(wiring, reply))
        except ValueError:  # as well a state of another version, which no call goes on from
            told.lost["calls"] += 1
            continue
        if new == (text, reply):
            continue
        told.note("calls", sealed.put_call(writing, call_sid, (text, reply), new))


def _texts(wiring: Wiring, reading: Connection, writing: Connection, told: Resealed) -> None:
    """Texts, and answers to texts; as well those of a release that did not seal them."""
    for text_id, *text in sealed.texts(reading):
        old = (text[0], text[1])
        try:
            new = kept_texts.anew(wiring.numbers, *old)
        except ValueError:
            told.lost["texts"] += 1
            continue
        if new != old:
            told.note("texts", sealed.put_text(writing, text_id, old, new))
    for message_sid, reply in sealed.replies(reading):
        try:
            again = wiring.numbers.rehide(reply)
        except ValueError:
            told.lost["inbound_texts"] += 1
            continue
        if again != reply:
            told.note("inbound_texts", sealed.put_reply(writing, message_sid, reply, again))


def _state(wiring: Wiring, text: str) -> str:
    state = states.from_json(text)
    said, typed = _anew(wiring, state.transcript), _anew(wiring, state.keyed)
    if (said, typed) == (state.transcript, state.keyed):
        return text
    return states.to_json(replace(state, transcript=said, keyed=typed))


def _reply(wiring: Wiring, reply: str) -> str:
    return SEALED + _anew(wiring, reply.removeprefix(SEALED)) if reply.startswith(SEALED) else reply


def _anew(wiring: Wiring, kept: str) -> str:
    new = wiring.numbers.reseal(base64.b64decode(kept)) if kept else None
    return base64.b64encode(new).decode() if new is not None else kept
