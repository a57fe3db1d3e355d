"""Whole calls as the carrier plays them: from the greeting to the text and the hang-up."""

import re
from dataclasses import dataclass

from bench.client import Carrier, Form, Line

#: about the share of callers who take an offer in the literature of hold queues
TAKEN_BY_ONE_IN = 3
TURN = re.compile(r"turn=(\d+)")
SUBJECTS = ("my router", "the box in the hall", "our modem", "the gateway", "my connection", "the wifi router")
WOES = (
    "is not online",
    "says offline in the app",
    "lost its connection",
    "will not come back online",
    "shows no internet",
)
TIMES = ("since this morning", "after the storm", "since the update", "every evening", "after I moved", "for two days")


@dataclass(frozen=True)
class Caller:
    """The n-th caller of a run."""

    n: int
    run: int

    @property
    def sid(self) -> str:
        return f"CA{self.run:08x}{self.n:024x}"

    @property
    def number(self) -> str:
        """A number of its own in the numbering plan of New York; nothing is ever sent to it."""
        return f"+1212{200 + (self.run * 100_000 + self.n) // 10_000 % 700:03d}{self.n % 10_000:04d}"

    @property
    def sentence(self) -> str:
        n = self.n
        return f"{SUBJECTS[n % 6]} {WOES[n // 6 % 5]} {TIMES[n // 30 % 6]} and I tried {n} times in house {self.run}"


@dataclass(frozen=True)
class Made:
    """What one call must have left behind."""

    webhooks: int
    text: bool


def standard(carrier: Carrier, caller: Caller) -> Form:
    """The parameters every webhook of a call has."""
    return {
        "CallSid": caller.sid,
        "AccountSid": carrier.account_sid,
        "From": caller.number,
        "To": "+12125550100",
        "CallStatus": "in-progress",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
        "FromCountry": "US",
        "ToCountry": "US",
    }


async def play(line: Line, carrier: Carrier, caller: Caller, *, spoken: bool) -> Made:
    """One call: menu, hold, offer, text, hang-up."""
    common = standard(carrier, caller)
    posted = 0

    async def post(path: str, **extra: str) -> str:
        nonlocal posted
        posted += 1
        return await line.post(path, common | extra)

    async def answer(action: str, document: str, **extra: str) -> str:
        found = TURN.search(document)
        return await post(f"/voice/{action}?turn={found[1] if found else 0}", **extra)

    async def hold(waited_s: int, position: int) -> str:
        return await post(
            "/voice/hold",
            QueueTime=str(waited_s),
            QueuePosition=str(position),
            QueueSid="QU" + "0" * 32,
            AvgQueueTime="60",
            CurrentQueueSize="9",
            MaxQueueSize="1000",
        )

    document = await post("/voice/incoming", CallStatus="ringing")
    document = await answer("menu", document, Digits="3")
    document = await answer("menu", document, Digits="2" if spoken else "1")
    if spoken:
        document = await answer("describe", document, SpeechResult=caller.sentence, Confidence="0.91")
    document = await hold(0, 9)
    document = await hold(16, 8)
    document = await hold(34, 7)
    taken = "text" in document and caller.n % TAKEN_BY_ONE_IN == 0
    if taken:
        document = await answer("hold-key", document, Digits="1")  # typed ahead: asked once again
        document = await answer("hold-key", document, Digits="1")
    document = await hold(52, 6)
    document = await hold(66, 5)
    await post("/voice/queue-result", QueueResult="hangup", QueueTime="70", QueueSid="QU" + "0" * 32)
    await post("/voice/status", CallStatus="completed", CallDuration="80")
    return Made(posted, taken)


async def static(line: Line, carrier: Carrier, caller: Caller) -> None:
    """The same parameters to a route that checks the signature and answers a fixed document."""
    await line.post("/static", standard(carrier, caller) | {"Digits": "3"})
