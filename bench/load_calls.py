"""The callers of the load: what each sends, and when, signed beforehand."""

import csv
import gzip
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.calls import TAKEN_BY_ONE_IN, Caller
from bench.load_wire import signed
from bench.savings_callers import HOURS, PATIENCE, WAIT
from config.settings import Settings

ROUND_S = 30.0  # between two rounds of the wait loop
SPOKEN_ONE_IN = 2  # callers who say a sentence
THINKS_S = 2.0  # before a key
ROUNDS_S = (16.0, 34.0)  # the first two rounds, which may bring the offer; then one every ROUND_S
DAY_S = 86_400.0
POSITION = 4000  # in the queue; by it, and by how fast agents answer, a wait is long enough for an offer


@dataclass(frozen=True, slots=True)
class Sent:
    """One webhook: seconds after its call's first, its kind, and what goes over the wire."""

    after_s: float
    kind: str
    request: bytes


@dataclass(frozen=True, slots=True)
class Hold:
    """One caller of a day: when the call comes in, how long it holds, and whether an agent answers."""

    at_s: float
    hold_s: float
    answered: bool


class Signer:
    """Webhooks of one site's calls."""

    def __init__(self, settings: Settings) -> None:
        self._port, self._base_url = settings.port, settings.public_base_url
        self._token = settings.twilio_auth_token[0].get_secret_value()
        self.account_sid = settings.twilio_account_sid
        self.position = POSITION

    def sent(self, after_s: float, path: str, caller: Caller, **more: str) -> Sent:
        """One webhook of a caller."""
        form = {
            "CallSid": caller.sid,
            "AccountSid": self.account_sid,
            "From": caller.number,
            "To": "+12125550100",
            "CallStatus": "in-progress",
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
        }
        kind = path.partition("?")[0].rpartition("/")[2]
        return Sent(after_s, kind, signed(self._port, self._base_url, self._token, path, form | more))

    def round(self, after_s: float, caller: Caller, waited_s: float) -> Sent:
        """The wait loop comes round."""
        more = {"QueueTime": str(int(waited_s)), "QueuePosition": str(self.position), "QueueSid": "QU" + "0" * 32}
        return self.sent(after_s, "/voice/hold", caller, **more, AvgQueueTime="60", CurrentQueueSize="9")

    def yes(self, after_s: float, caller: Caller, turn: int = 0) -> Sent:
        """Key 1. What it answers is in the document before it: see `Load.play`."""
        return self.sent(after_s, f"/voice/hold-key?turn={turn}", caller, Digits="1")

    def beginning(self, caller: Caller) -> list[Sent]:
        """From the ring to the queue and its first round. Which question a turn answers is known beforehand: a
        caller's turns are numbered."""
        spoken = caller.n % SPOKEN_ONE_IN == 0
        sent = [
            self.sent(0, "/voice/incoming", caller, CallStatus="ringing"),
            self.sent(THINKS_S, "/voice/menu?turn=1", caller, Digits="3"),
            self.sent(2 * THINKS_S, "/voice/menu?turn=2", caller, Digits="2" if spoken else "1"),
        ]
        if spoken:
            said = {"SpeechResult": caller.sentence, "Confidence": "0.91"}
            sent.append(self.sent(3 * THINKS_S, "/voice/describe?turn=3", caller, **said))
        return [*sent, self.round(sent[-1].after_s + 0.2, caller, 0)]

    def holding(self, caller: Caller, hold_s: float) -> list[Sent]:
        """The rounds of a hold, after the first; one in three says yes to the offer, where there is one."""
        begun_s = 6.2 if caller.n % SPOKEN_ONE_IN == 0 else 4.2
        sent, waited_s = [], ROUNDS_S[0]
        while waited_s < hold_s:
            sent.append(self.round(begun_s + waited_s, caller, waited_s))
            if waited_s == ROUNDS_S[1] and caller.n % TAKEN_BY_ONE_IN == 0 and hold_s > waited_s + 20:
                for again in range(2):  # typed ahead, it is asked for once again
                    sent.append(self.yes(begun_s + waited_s + 12 + 4 * again, caller))
            waited_s = ROUNDS_S[1] if waited_s == ROUNDS_S[0] else waited_s + ROUND_S
        return sent

    def end(self, caller: Caller, hold_s: float, answered: bool = False) -> list[Sent]:
        """Out of the queue, and the end."""
        at_s = (6.2 if caller.n % SPOKEN_ONE_IN == 0 else 4.2) + hold_s
        more = {"QueueResult": "bridged" if answered else "hangup", "QueueTime": str(int(hold_s))}
        talks_s = 20.0 if answered else 0.0
        return [
            self.sent(at_s, "/voice/queue-result", caller, **more, QueueSid="QU" + "0" * 32),
            self.sent(at_s + 0.3 + talks_s, "/voice/status", caller, CallStatus="completed", CallDuration="80"),
        ]

    def whole(self, caller: Caller, hold_s: float, answered: bool) -> list[Sent]:
        """All of a call."""
        return [
            *self.beginning(caller),
            *self.holding(caller, hold_s),
            *self.end(caller, hold_s, answered),
        ]


def holds_of(calls: Path) -> list[Hold]:
    """The busiest day of a call centre's record (CSV: entry, queue_s, outcome among its columns; .gz or plain)."""
    days: dict[str, list[Hold]] = defaultdict(list)
    with gzip.open(calls, "rt") if calls.suffix == ".gz" else calls.open() as file:
        for row in csv.DictReader(file):
            if row["outcome"] == "PHANTOM":
                continue
            entry = datetime.fromisoformat(row["entry"])
            at_s = entry.hour * 3600.0 + entry.minute * 60 + entry.second
            days[row["entry"][:10]].append(Hold(at_s, float(row["queue_s"]), row["outcome"] == "AGENT"))
    return max(days.values(), key=len)


def holds_fitted(count: int, chance: random.Random) -> list[Hold]:
    """A day made of what was fitted to that record, where there is no record (`bench/savings_callers.py`)."""
    holds = []
    for _ in range(count):
        at_s = chance.choices(range(24), HOURS)[0] * 3600 + chance.uniform(0, 3600)
        wait_s = chance.lognormvariate(*WAIT) if chance.random() < 0.47 else 0.0
        patience_s = chance.weibullvariate(PATIENCE[1], PATIENCE[0])
        holds.append(Hold(at_s, min(wait_s, patience_s), wait_s <= patience_s))
    return holds


def resampled(holds: list[Hold], count: int, chance: random.Random) -> Iterator[Hold]:
    """So many callers of the same day, each within five minutes of one on record."""
    for one in sorted(chance.choices(holds, k=count), key=lambda hold: hold.at_s):
        at_s = min(max(0.0, one.at_s + chance.uniform(-300, 300)), DAY_S)
        yield Hold(at_s, one.hold_s, one.answered)
