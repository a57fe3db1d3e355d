"""Webhooks of the time without a database land in it: as if they had been taken at their own time."""

import copy
import threading
import time
from collections import Counter

import structlog
from psycopg import InternalError, OperationalError, errors
from psycopg_pool import PoolTimeout

from ivr.call.events import Event, HoldKey, Pressed, TextProgress
from ivr.call.values import replace
from ivr.carrier import happened, inbound
from ivr.carrier.happened import MakeEvent
from ivr.carrier.inbound import Form
from ivr.jobs.answer_text import answer_text, asked_for
from ivr.jobs.note_receipt import note_receipt
from ivr.spool import Kept, call_of, plain
from ivr.texts.numbers import as_e164
from ivr.turn import UnknownCall, start_call, take_turn
from ivr.wiring import Wiring
from models import calls, erase, optouts

log = structlog.get_logger()

LOOK_S = 0.5
TRIES = 3  # before one that the database refuses is put aside
KNOWN_WITHIN_S = 3600.0  # the call's beginning may wait on another machine for so long
END_KNOWN_WITHIN_S = 600.0  # where all we heard is an end: the carrier tells those of agents' own calls, too
LOOK_AGAIN_S = 15.0  # at one that did not land

#: what a database says that is being restored or migrated; no value a webhook may bring is the cause of these
NOT_YET = (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName, errors.InsufficientPrivilege)
#: what a database that is away, full, or on its way up or down answers
AWAY = (PoolTimeout, OperationalError, InternalError, *NOT_YET)

_EVENTS = {
    "/voice/closed": happened.answer,
    "/voice/hold-key": happened.hold_key,
    "/voice/queue-result": happened.queue_result,
    "/voice/connecting": happened.connecting,
    "/voice/overflow": happened.overflow,
    "/voice/status": happened.status,
}
_NUMBERED = frozenset({"/voice/hold-key", "/voice/closed", "/voice/overflow"})  # by the turn in their address
_BEGINNINGS = frozenset({"/voice/incoming", "/voice/fallback"})


class Waiting(Exception):
    """Something of this call waits to land: what comes after it waits behind it."""


def is_kept(path: str) -> bool:
    """Whether a voice webhook that could not be taken is kept. Not kept: answers at a menu, whose caller was put into
    the default queue instead, and rounds of the wait loop, which comes round again."""
    return path in _EVENTS or path in _BEGINNINGS


def keep(wiring: Wiring, error: Exception, path: str, turn: int | None, mark: str, form: Form) -> bool:
    """Keep a voice webhook that could not be taken, where that is because of a database that is away, or because its
    call has not landed yet (here, or on a machine that is cut off). Whether it is kept."""
    sid = inbound.call_sid(form)
    if sid is None or not is_kept(path) or not isinstance(error, (*AWAY, Waiting, UnknownCall)):
        return False
    if inbound.caller_number(form) in wiring.settings.agent_numbers:
        return False  # an agent's own call
    return _put(wiring, sid, path, turn, mark, form)


def keep_text(wiring: Wiring, error: Exception, path: str, text_id: str, form: Form) -> bool:
    """The same for a receipt, and for a text that asks for no more texts: whoever wrote another is asked to write it
    again."""
    if not isinstance(error, AWAY):
        return False
    receipt = inbound.receipt(form) if path == "/sms/status" else None
    if receipt is not None:
        return bool(text_id) and _put(wiring, receipt.message_sid, path, None, text_id, form)
    message = inbound.message(form)
    if message is None or asked_for(message, opted_out=False) != "stop":
        return False
    return _put(wiring, message.message_sid, path, None, "", form)


def _put(wiring: Wiring, of: str, path: str, turn: int | None, mark: str, form: Form) -> bool:
    at_ms = int(wiring.clock().timestamp() * 1000)
    return wiring.spool.put(of, Kept(at_ms, path, turn, mark, plain(form)), last=path == "/voice/status")


class Landing:
    """Brings back what a machine's spool holds. One process of a machine does it at a time."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._tried: Counter[str] = Counter()
        self._not_before: dict[str, float] = {}
        self._stop = threading.Event()

    def start(self) -> "Landing":
        """Look for what is kept from now on, from a thread of its own."""
        threading.Thread(target=self._run, name="landing", daemon=True).start()
        return self

    def stop(self) -> None:
        """Begin nothing more."""
        self._stop.set()

    def land(self) -> int:
        """Bring in what waits, each call's in its order; how many landed. Ends early when the database goes away.
        None while something is left out for a crowd: what lands takes the places of callers."""
        spool = self._wiring.spool
        if not spool.depth():
            return 0
        landed = 0
        with spool.alone() as mine:
            behind: set[str] = set()  # calls of which something earlier stays
            for name in spool.waiting() if mine else ():
                if self._stop.is_set() or not self._wiring.places.quiet():
                    break
                try:
                    done = call_of(name) not in behind and self._one(name)
                except AWAY as error:
                    if isinstance(error, NOT_YET):  # the database is there, and no alert of its own says this
                        log.error("landing_without_tables", why=type(error).__name__)
                    break
                landed += done
                if not done:
                    behind.add(call_of(name))
        if landed:
            log.info("webhooks_landed", count=landed, left=spool.depth())
        return landed

    def _one(self, name: str) -> bool:
        """Whether it is out of the way."""
        if time.monotonic() < self._not_before.get(name, 0.0):
            return False
        kept: Kept | None = None
        try:
            kept = self._wiring.spool.read(name)
            take(self._wiring, kept)
        except AWAY:
            raise
        except OSError as error:
            if kept is not None or not isinstance(error, FileNotFoundError):  # else another process landed it
                log.warning("kept_webhook_later", call_sid=call_of(name), why=type(error).__name__)
                return self._later(name)
        except UnknownCall:
            assert kept is not None
            within_s = END_KNOWN_WITHIN_S if kept.path == "/voice/status" else KNOWN_WITHIN_S
            if (self._wiring.clock() - kept.at).total_seconds() < within_s:
                return self._later(name)
            log.warning("kept_webhook_of_no_call", call_sid=call_of(name), path=kept.path)
        except Exception:
            self._tried[name] += 1
            log.exception("kept_webhook_failed", call_sid=call_of(name), tried=self._tried[name])
            if self._tried[name] < TRIES:
                return False
            if kept is None or not is_erased(self._wiring, kept):  # None: broken on disk, or its key is gone
                self._wiring.spool.put_aside(name)
        self._wiring.spool.landed(name)
        self._not_before.pop(name, None)
        self._tried.pop(name, None)
        return True

    def _later(self, name: str) -> bool:
        self._not_before[name] = time.monotonic() + LOOK_AGAIN_S
        return False

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self.land()
            except Exception:
                log.exception("landing_failed")


def take(wiring: Wiring, kept: Kept) -> None:
    """Take one webhook at the time it came. Raises UnknownCall, and what a database that is away raises."""
    then = copy.copy(wiring)
    then.clock = lambda: kept.at
    if is_erased(wiring, kept):
        if kept.path == "/sms/status":
            return
        if kept.path not in _EVENTS and kept.path not in _BEGINNINGS:
            _stop(then, kept)
            return
        kept = kept._replace(form={**kept.form, "From": ""})  # what happened counts; whose call it was is forgotten
    if kept.path in _BEGINNINGS:
        _begin(then, kept)
    elif kept.path == "/sms/status":
        if (receipt := inbound.receipt(kept.form)) is not None:
            note_receipt(then, kept.mark, receipt.message_sid, receipt.status, receipt.code)
    elif (message := inbound.message(kept.form)) is not None:
        answer_text(then, message)
    elif (sid := inbound.call_sid(kept.form)) is not None:
        make, turn, mark = _EVENTS[kept.path](kept.form), kept.turn, kept.mark
        if kept.path in _NUMBERED:  # a turn that another machine took meanwhile makes a yes no repeat
            make, turn, mark = _late(make, turn), None, f"turn {turn}"
        take_turn(then, sid, make, turn=turn, mark=mark, from_number=inbound.caller_number(kept.form))


def is_erased(wiring: Wiring, kept: Kept) -> bool:
    """Whether the person it is about was erased since: on another machine, which knew nothing of this one's disk."""
    whose = as_e164(kept.form.get("To" if kept.path == "/sms/status" else "From", ""), ())
    if whose is None:
        return False
    with wiring.pool.connection() as conn:
        return erase.was_marked(conn, wiring.numbers.erased_mark(whose), kept.at)


def _stop(wiring: Wiring, kept: Kept) -> None:
    """A STOP is kept whoever sent it, as a hash."""
    number = as_e164(inbound.caller_number(kept.form), ())
    if number is not None:
        with wiring.pool.connection() as conn:
            optouts.opt_out(conn, wiring.numbers.key(number), kept.at, "reply")


def _late(make: MakeEvent, turn: int | None) -> MakeEvent:
    def told(texts: tuple[TextProgress, ...]) -> Event:
        event = make(texts)
        return replace(event, late=turn) if isinstance(event, HoldKey | Pressed) else event

    return told


def _begin(wiring: Wiring, kept: Kept) -> None:
    """A call that came in. Where the carrier took our fallback, it may be one we never heard of."""
    arrived = inbound.incoming(kept.form)
    if arrived is None:
        return
    if kept.path == "/voice/fallback":
        with wiring.pool.connection() as conn:
            if calls.load(conn, arrived.call_sid) is not None:
                return
    start_call(wiring, arrived)
