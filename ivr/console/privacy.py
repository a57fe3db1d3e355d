"""Erasing a number: who had it is forgotten, here and in the carrier's records; figures stay."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta

import phonenumbers
import structlog
from psycopg import Connection

from config.folders import spool_folder
from config.logs import redact
from ivr.carrier.erasing import Deleted, delete_records
from ivr.carrier.numbers import AccountNumbers, CarrierSays
from ivr.carrier.sender import client_of
from ivr.console.actors import Actor
from ivr.console.errors import Sentence, Wrong, sentence
from ivr.console.switches import wrong_why
from ivr.spool import Kept, left_aside
from ivr.wiring import Wiring
from models import audit, erase, optouts, studies, texts

log = structlog.get_logger()

HEARD_WITHIN = timedelta(minutes=3)
CARRIER_TIMES = (3.0, 10.0)
BUSY = sentence("This number is in a call, or a text to it is on its way. Try again in a few minutes.")
NOT_A_NUMBER = sentence("Write the whole number with + and the country code, like +12025550143.")


@dataclass(frozen=True)
class Erased:
    """What was removed, how much of each; `left`: what the number's key still leads to, which is nothing; `opted_out`:
    its STOP is kept, as a hash, so that it is never texted."""

    removed: dict[str, int]
    at_carrier: Deleted
    left: dict[str, int]
    opted_out: bool

    @property
    def proven(self) -> bool:
        """Whether looking the number up finds nothing."""
        return not any(self.left.values())


def erase_number(wiring: Wiring, by: Actor, *, number: str, again: str, why: str) -> Erased:
    """Forget whoever has a number. `again`: the same, typed once more. Raises Wrong; then nothing is erased here.

    Asks the carrier with no connection held. The reason stands in the audit log for good, without numbers.
    """
    why = why.strip()
    written, problems = _written(number), wrong_why(why)
    if written is None:
        problems["number"] = NOT_A_NUMBER
    elif _written(again) != written:
        problems["again"] = sentence("This is not the same number.")
    if problems or written is None:
        raise Wrong(problems)
    key = wiring.numbers.key(written)
    with wiring.pool.connection() as conn, conn.transaction():
        texts.cancel_to(conn, key, wiring.clock(), "erased")
    with wiring.pool.connection() as conn:
        _check_quiet(wiring, conn, key)
        if any(written in kept.form.values() for kept in _kept(wiring, wiring.spool.waiting())):
            raise Wrong({"": BUSY})
        known = any(erase.look_up(conn, key).values())
        message_sids, call_sids = erase.messages_of(conn, key), erase.calls_of(conn, key)
    at_carrier = _delete(wiring, written, message_sids, call_sids) if known else Deleted()
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        with conn.transaction():
            _check_quiet(wiring, conn, key)
            removed = erase.person(conn, key, f"erased-{secrets.token_hex(16)}")
            erase.mark(conn, wiring.numbers.erased_mark(written), wiring.clock())
            removed["kept aside"] = _forget_aside(wiring, written)
            removed["studies"] = studies.forget_all_words(conn) if removed["transcripts"] else 0
            after = {**removed, **{f"{what} at the carrier": count for what, count in asdict(at_carrier).items()}}
            audit.note(
                conn, who=by.key, what="number.erased", on=f"a number ending in {written[-2:]}", after=after,
                why=redact(why), at=wiring.clock(),
            )  # fmt: skip
        return Erased(removed, at_carrier, erase.look_up(conn, key), optouts.is_out(conn, key))


def _check_quiet(wiring: Wiring, conn: Connection, key: str) -> None:
    if erase.is_busy(conn, key, wiring.clock() - HEARD_WITHIN):
        raise Wrong({"": BUSY})


def _kept(wiring: Wiring, names: list[str]) -> Iterator[Kept]:
    """Webhooks on this machine's disk."""
    for name in names:
        with suppress(FileNotFoundError, ValueError):  # it landed just now, or its key is gone
            yield wiring.spool.read(name)


def _forget_aside(wiring: Wiring, number: str) -> int:
    """Remove what this machine put aside of a number because the database refused it, or left half written; how many.
    Whatever other machines put aside goes after 30 days, as all of it does."""
    files = [
        file
        for file in left_aside(spool_folder(wiring.settings.data_dir))
        if any(number in kept.form.values() for kept in _kept(wiring, [file.name]))
    ]
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def _written(typed: str) -> str | None:
    """A number as it was typed, in E.164."""
    typed = typed.strip()
    try:
        parsed = phonenumbers.parse(typed) if typed.startswith("+") else None
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _delete(wiring: Wiring, number: str, message_sids: list[str], call_sids: list[str]) -> Deleted:
    settings = wiring.settings
    try:
        own = set(AccountNumbers(settings).calling(settings.public_base_url))
        own |= {settings.twilio_sender_number} if settings.twilio_sender_number else set()
        return delete_records(
            client_of(settings, CARRIER_TIMES), number, own, message_sids=message_sids, call_sids=call_sids
        )
    except CarrierSays as error:
        log.warning("erasing_stopped", why=str(error))
        raise Wrong({"": _not_now(error)}) from error


def _not_now(error: CarrierSays) -> Sentence:
    return sentence("Nothing was erased here yet: %(why)s. Try again.", why=Sentence(str(error)))
