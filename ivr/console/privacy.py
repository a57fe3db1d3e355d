"""Erasing a number: who had it is forgotten, here and in the carrier's records of texts; figures stay."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

import phonenumbers
import structlog
from psycopg import Connection

from ivr.carrier.erasing import delete_messages
from ivr.carrier.numbers import CarrierSays
from ivr.carrier.sender import client_of
from ivr.console.actors import Actor
from ivr.console.errors import Sentence, Wrong, sentence
from ivr.console.switches import wrong_why
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
    at_carrier: int
    left: dict[str, int]
    opted_out: bool

    @property
    def proven(self) -> bool:
        """Whether looking the number up finds nothing."""
        return not any(self.left.values())


def erase_number(wiring: Wiring, by: Actor, *, number: str, again: str, why: str) -> Erased:
    """Forget whoever has a number. `again`: the same, typed once more. Raises Wrong; then nothing is erased here.

    Asks the carrier with no connection held.
    """
    why = why.strip()
    key, ending, problems = *_key(wiring, number), wrong_why(why)
    if key is None:
        problems["number"] = NOT_A_NUMBER
    elif _key(wiring, again)[0] != key:
        problems["again"] = sentence("This is not the same number.")
    if problems or key is None:
        raise Wrong(problems)
    with wiring.pool.connection() as conn, conn.transaction():
        texts.cancel_to(conn, key, wiring.clock(), "erased")
    with wiring.pool.connection() as conn:
        _check_quiet(wiring, conn, key)
        message_sids = erase.messages_of(conn, key)
    at_carrier = _delete(wiring, message_sids)
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        with conn.transaction():
            _check_quiet(wiring, conn, key)
            removed = erase.person(conn, key, f"erased-{secrets.token_hex(16)}")
            removed["studies"] = studies.forget_all_words(conn) if removed["transcripts"] else 0
            after = {**removed, "texts at the carrier": at_carrier}
            audit.note(
                conn, who=by.key, what="number.erased", on=f"a number ending in {ending}", after=after, why=why,
                at=wiring.clock(),
            )  # fmt: skip
        return Erased(removed, at_carrier, erase.look_up(conn, key), optouts.is_out(conn, key))


def _check_quiet(wiring: Wiring, conn: Connection, key: str) -> None:
    if erase.is_busy(conn, key, wiring.clock() - HEARD_WITHIN):
        raise Wrong(
            {"": sentence("This number is in a call, or a text to it is on its way. Try again in a few minutes.")}
        )


def _key(wiring: Wiring, typed: str) -> tuple[str | None, str]:
    """The key of a number as it was typed, and its last two digits."""
    typed = typed.strip()
    try:
        parsed = phonenumbers.parse(typed) if typed.startswith("+") else None
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        return None, ""
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return wiring.numbers.key(written), written[-2:]


def _delete(wiring: Wiring, message_sids: list[str]) -> int:
    try:
        return delete_messages(client_of(wiring.settings, CARRIER_TIMES), message_sids) if message_sids else 0
    except CarrierSays as error:
        log.warning("erasing_stopped", why=str(error))
        raise Wrong({"": _not_now(error)}) from error


def _not_now(error: CarrierSays) -> Sentence:
    return sentence("Nothing was erased here yet: %(why)s. Try again.", why=str(error))
