"""What a web process keeps in memory of the database, and how soon it looks again."""

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import Connection

from ivr.call.events import TextProgress
from ivr.call.moment import Incident, Outlook
from ivr.call.plan import Plan
from ivr.call.state import CallState
from ivr.planfile import store
from models import facts, incidents, plans, switches
from models.db import DatabaseAway

KEPT_PLANS = 16
KEPT_CALLS = 5000
LOOK_AGAIN_S = 5.0
READ_WITHIN_S = 0.3  # a caller hears silence meanwhile
ANSWERS_WITHIN = timedelta(hours=4)


class Latest(NamedTuple):
    """A call as its latest turn left it."""

    state: CallState
    turn: int
    reply: str
    texts: tuple[TextProgress, ...]


class Recent:
    """The calls this process answered last. Only ever a shortcut: what is in it may be overtaken by another process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Latest] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, call_sid: str) -> Latest | None:
        """The call, None when this process does not have it."""
        return self._kept.get(call_sid)

    def keep(self, latest: Latest) -> None:
        """Remember a call, and forget the one remembered longest."""
        with self._lock:
            self._kept[latest.state.call_sid] = latest
            if len(self._kept) > KEPT_CALLS:
                self._kept.popitem(last=False)

    def forget(self, call_sid: str) -> None:
        """Remember it no longer."""
        with self._lock:
            self._kept.pop(call_sid, None)


class Plans:
    """Published plans by version. The live one is asked for when a call begins; calls under way keep theirs."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Plan] = OrderedDict()
        self._live = 0  # the version that was live when last asked for
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self.read_within_s = READ_WITHIN_S  # how long one thread waits for another that reads

    def live(self, conn: Connection) -> Plan:
        """The plan that new calls get. Raises LookupError when none was ever published."""
        version = plans.live_version(conn)
        if version is None:
            raise LookupError("no plan is published: flask menu publish FILE")
        plan = self.get(conn, version)
        self._live = version
        return plan

    def get(self, conn: Connection, version: int) -> Plan:
        """The plan of a version. Raises LookupError when there is none, DatabaseAway while another thread takes long to
        read one: as many as there are would only hold each other up, and a caller hears silence meanwhile."""
        found = self._found(version)
        if found is not None:
            return found
        if not self._reading.acquire(timeout=self.read_within_s):
            raise DatabaseAway("the plan is still being read")
        try:
            plan = self._found(version) or store.load(conn, version)
        finally:
            self._reading.release()
        with self._lock:
            self._kept[version] = plan
            while len(self._kept) > KEPT_PLANS:
                self._kept.popitem(last=False)
        return plan

    def _found(self, version: int) -> Plan | None:
        with self._lock:
            found = self._kept.get(version)
            if found is not None:
                self._kept.move_to_end(version)
            return found

    def known(self) -> Plan | None:
        """The plan that was live when last asked for, for when the database cannot be asked; None before. Never a draft
        that the test phone tries."""
        with self._lock:
            return self._kept.get(self._live)


def outlooks(answers: list[tuple[str, datetime]], now: datetime) -> dict[str, Outlook]:
    """Per queue: how many calls were answered lately, and the mean seconds from one answer to the next."""
    times: defaultdict[str, list[datetime]] = defaultdict(list)
    for queue, at in answers:
        times[queue].append(at)
    return {queue: Outlook(len(ats), _pace_s(ats, now)) for queue, ats in times.items()}


def _pace_s(ats: list[datetime], now: datetime) -> float | None:
    """Until now, not until the last answer: a queue in which nobody answers any more gets slower by the minute."""
    if len(ats) < 2:
        return None
    first = min(ats)
    return max((max(ats) - first).total_seconds() / (len(ats) - 1), (now - first).total_seconds() / len(ats))


class Lines(NamedTuple):
    """What is so for every caller: how fast each queue is answered, what managers switched off, what is going wrong."""

    outlooks: Mapping[str, Outlook]
    closed: frozenset[str]
    stopped: bool
    stopped_queues: frozenset[str]
    incidents: tuple[Incident, ...]


class Queues:
    """The lines for agents as of a few seconds ago. A thread looks again (`Wiring.warm`); where none does, the request
    that finds them old."""

    def __init__(self, clock: Callable[[], datetime], look_again_s: float = LOOK_AGAIN_S) -> None:
        self._clock = clock
        self._look_again_s = look_again_s
        self._looked_at = -1e9
        self._lines = Lines({}, frozenset(), False, frozenset(), ())
        self._lock = threading.Lock()

    def now(self, conn: Connection) -> Lines:
        """The lines. One thread looks, the others take what is there."""
        if time.monotonic() - self._looked_at >= self._look_again_s and self._lock.acquire(blocking=False):
            try:
                self._look(conn)
            finally:
                self._lock.release()
        return self._lines

    def look(self, conn: Connection) -> None:
        """Look again at once: something was switched, or an incident begun or ended."""
        with self._lock:
            self._look(conn)

    def _look(self, conn: Connection) -> None:
        now = self._clock()
        pulled = frozenset(switches.stopped(conn))
        self._lines = Lines(
            outlooks(facts.answers(conn, now - ANSWERS_WITHIN), now),
            frozenset(plans.closed_queues(conn)),
            switches.ALL in pulled,
            pulled - {switches.ALL},
            tuple(_heard(one) for one in incidents.current(conn, now)),
        )
        self._looked_at = time.monotonic()


def _heard(one: incidents.Incident) -> Incident:
    leaves = None if one.leaves is None else frozenset(one.leaves)
    return Incident(one.id, one.message, one.until, leaves, one.news)
