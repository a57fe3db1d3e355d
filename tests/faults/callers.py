"""People who call at random: all their choices come from one seed each."""

import random
import re
import threading
import time
from collections.abc import Callable

from ivr.phone.call import Call
from ivr.phone.engine import Carrier
from tests.faults.ledgers import CarriedCall
from tests.faults.site import URL, Site

AREAS = (202, 212, 213, 303, 310, 312, 404, 415, 503, 512, 602, 617, 702, 713, 720, 801, 808, 901, 904, 919)
SENTENCES = (
    "my internet is down",
    "the router light stays red",
    "I was charged twice this month",
    "where is my order",
    "I forgot my password",
    "quiero hablar de mi factura",
    "it just does not work",
)
_LINK = re.compile(r"/r/([A-Za-z0-9_-]+)")
PATIENCE_S = (4.0, 30.0)  # on the wall's clock


def number(chance: random.Random) -> str:
    """A made-up number that the plan lets be texted."""
    return f"+1{chance.choice(AREAS)}55501{chance.randrange(100):02d}"


class Callers:
    """Calls come in until told to stop; every caller is a thread."""

    def __init__(self, site: Site, seed: int, at_once: int) -> None:
        self._site, self._seed, self._at_once = site, seed, at_once
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.calls: list[Call] = []
        self.failed: list[str] = []

    def start(self) -> None:
        """Let the phones ring."""
        for n in range(self._at_once):
            self._run(self._calls_on, random.Random(f"{self._seed} caller {n}"))
        self._run(self._agents_work, random.Random(f"{self._seed} agents"))

    def finish(self, within_s: float) -> None:
        """No new calls; those there are end by themselves."""
        self._stop.set()
        end = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.1, end - time.monotonic()))

    def _run(self, do: Callable[[random.Random], None], chance: random.Random) -> None:
        thread = threading.Thread(target=do, args=(chance,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _calls_on(self, chance: random.Random) -> None:
        time.sleep(chance.uniform(0, 6))
        while not self._stop.is_set():
            try:
                self._one(chance)
            except Exception as error:
                self.failed.append(f"{type(error).__name__}: {error}")
            self._stop.wait(chance.uniform(0.2, 3))

    def _one(self, chance: random.Random) -> None:
        carrier, mine = self._site.carrier, number(chance)
        call = carrier.call(mine)
        self.calls.append(call)
        walk = list("31") if chance.random() < 0.7 else []  # to a leaf with an article, or anywhere
        until = time.monotonic() + chance.uniform(*PATIENCE_S)
        while not call.over and time.monotonic() < until and not self._stop.is_set():
            time.sleep(chance.uniform(0.2, 0.9))
            if not call.over:
                _act(carrier, call, chance, walk)
        while call.partner is not None and not self._stop.wait(0.2):
            pass
        if not call.over:
            carrier.hang_up(call)
        self._read_texts(mine, chance)

    def _read_texts(self, mine: str, chance: random.Random) -> None:
        carrier = self._site.carrier
        time.sleep(chance.uniform(0.5, 2))
        for note in list(carrier.texts.handset(mine).notes)[-1:]:
            found = _LINK.search(note.body)
            if found and chance.random() < 0.6:
                agent = {
                    "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604.1"
                }
                self._site.door("GET", f"{URL}/r/{found[1]}", (), agent)
            if found and chance.random() < 0.25:
                carrier.texts.reply(mine, chance.choice(("1", "2", "STOP", "thanks, solved")))

    def _agents_work(self, chance: random.Random) -> None:
        carrier = self._site.carrier
        while not self._stop.wait(chance.uniform(1, 4)):
            busy = [name for name, queue in carrier.queues.items() if any(one.call for one in list(queue.members))]
            if not busy:
                continue
            try:
                agent = carrier.agent_answers(chance.choice(busy))
                self._stop.wait(chance.uniform(1, 4))
                if not agent.over:
                    carrier.hang_up(agent)
            except Exception as error:
                self.failed.append(f"agent: {type(error).__name__}: {error}")


def _act(carrier: Carrier, call: Call, chance: random.Random, walk: list[str]) -> None:
    """Something a caller may do at a menu or on hold."""
    said = next((line.text for line in reversed(call.heard) if line.kind == "say"), "")
    asks = "press 1" in said or "oprima 1" in said
    if call.member is not None:  # on hold
        if chance.random() < (0.7 if asks else 0.1):
            carrier.press(
                call, chance.choices("1123*#9", (80, 15, 8, 6, 3, 2, 1))[0] if asks else chance.choice("1*#27")
            )
        return
    if "dtmf" not in call.listens:
        return
    if walk:
        carrier.press(call, walk.pop(0))
    elif "speech" in call.listens and chance.random() < 0.3:
        carrier.say(call, chance.choice(SENTENCES))
    elif chance.random() < 0.9:
        carrier.press(call, chance.choices("1234095*", (20, 20, 20, 15, 6, 3, 2, 2))[0])


def carried(call: Call) -> CarriedCall:
    """A call as the checker wants it."""
    events = [line.text for line in call.heard if line.kind == "event"]
    talked = any(text.startswith("connected to an agent") or text.endswith(" answers") for text in events)
    ended = "not yet"
    if call.over:
        ended = "caller" if "the caller hangs up" in events else "talk" if talked else "us"
    return CarriedCall(
        call.sid,
        sum(text.startswith("in queue ") for text in events),
        "connected to an agent" in events,
        ended,
        "application error" in events,
    )
