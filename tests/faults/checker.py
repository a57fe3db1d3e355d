"""Was anything lost? Two ledgers in, the promises that were broken out. Pure."""

from collections import Counter
from collections.abc import Iterator

from tests.faults.ledgers import Carried, CarriedCall, Exchange, OurCall, Ours, OurText

#: the carrier waits no longer; how quick answers are is reported, for it depends on what else the machine does
LONGEST_S = 15.0
#: words that ask for a yes to a text
ASKS = ("get the steps by text, press 1", "recibir los pasos por mensaje, oprima 1")
#: the facts that close a hold
CLOSERS = frozenset(
    {"hung_up_in_queue", "agent_connected", "left_by_choice", "redirected", "queue_full", "queue_failed"}
)
ONCE = ("call_started", "call_ended", "assigned", "eligible")
ONCE_EACH = ("offered", "accepted", "text_queued", "sent", "delivered", "send_failed", "text_expired")
TAKEN, NOT_TAKEN = ("sent", "delivered", "undelivered"), ("expired", "canceled")


def violations(carried: Carried, ours: Ours) -> list[str]:
    """Every promise broken, one line each; empty when all were kept."""
    return [
        *(line for one in carried.exchanges for line in _answered(one)),
        *_calls(carried, ours),
        *_texts(carried, ours),
        *_consents(carried, ours),
        *_rest(ours),
    ]


def _answered(one: Exchange) -> Iterator[str]:
    if one.problem:
        yield f"{one.at_s:.1f} s: {one.path} of {one.call_sid} had no usable answer: {one.problem}"
    if one.path.startswith("/voice/") and one.seconds > LONGEST_S:
        yield f"{one.at_s:.1f} s: {one.path} of {one.call_sid} took {one.seconds:.1f} s"


def _calls(carried: Carried, ours: Ours) -> Iterator[str]:
    known = {call.sid: call for call in ours.calls}
    taken = {one.call_sid for one in carried.exchanges if one.path == "/voice/connecting"}
    for call in carried.calls:
        if call.apologised:
            yield f"call {call.sid}: the carrier apologised for us"
        if call.ended == "not yet":
            yield f"call {call.sid}: never came to an end"
        found = known.pop(call.sid, None)
        if found is None:
            yield f"call {call.sid}: not on record"
        else:
            yield from _facts(call, found, call.sid in taken)
    yield from (f"call {sid}: on record, but the carrier carried none" for sid in known)


def _facts(call: CarriedCall, ours: OurCall, taken: bool) -> Iterator[str]:
    names = [fact.name for fact in ours.facts]
    count = Counter(names)
    for name in ONCE:
        if count[name] > 1:
            yield f"call {call.sid}: {name} {count[name]} times"
    twice = Counter((fact.name, fact.of) for fact in ours.facts if fact.name in ONCE_EACH)
    yield from (f"call {call.sid}: {name} of {of} {times} times" for (name, of), times in twice.items() if times > 1)
    if names[:1] != ["call_started"]:
        yield f"call {call.sid}: begins with {names[:1]}"
    if call.ended != "not yet" and count["call_ended"] != 1:
        yield f"call {call.sid}: its end is not on record"
    unheard = call.ended == "caller" and count["held"] == call.joins + 1  # hung up while we answered "hold"
    if count["held"] != call.joins and not unheard:
        yield f"call {call.sid}: joined the queue {call.joins} times, held {count['held']} times on record"
    closed = sum(count[name] for name in CLOSERS)
    if count["call_ended"] and closed != count["held"]:
        yield f"call {call.sid}: held {count['held']} times, left the queue {closed} times on record"
    if call.connected and not count["agent_connected"] + count["agent_connected late"]:
        yield f"call {call.sid}: an agent talked, which is not on record"
    if count["agent_connected"] and not (call.connected or taken):
        yield f"call {call.sid}: no agent took it, on record one did"
    if call.ended == "us" and not (count["closed"] or count["agent_connected"]):
        yield f"call {call.sid}: dropped by us"
    if ours.turn != ours.state_turn:
        yield f"call {call.sid}: turn {ours.turn} of a state of turn {ours.state_turn}"


def _texts(carried: Carried, ours: Ours) -> Iterator[str]:
    by_token = {text.token: text for text in ours.texts}
    taken: Counter[str] = Counter()
    for message in carried.texts:
        of = next((token for token in by_token if token in message.body), None)
        if of is None:
            yield f"text {message.sid}: taken from us and not on record"
        else:
            taken[of] += 1
    for text in ours.texts:
        yield from _fate(text, taken[text.token])
    for (call, article), times in Counter((one.call_sid, one.kind) for one in ours.texts).items():
        if times > 2:  # two offers a call at most
            yield f"call {call}: {times} texts ({article})"


def _fate(text: OurText, taken: int) -> Iterator[str]:
    if taken > 1:
        yield f"text {text.id}: sent {taken} times"
    if text.status in ("queued", "sending") or (text.status == "unknown" and not text.settled):
        yield f"text {text.id}: still {text.status}"
    if text.status in TAKEN and not taken:
        yield f"text {text.id}: {text.status} on record, never taken by the carrier"
    if text.status in NOT_TAKEN and taken:
        yield f"text {text.id}: {text.status} on record, but the carrier took it"


def _consents(carried: Carried, ours: Ours) -> Iterator[str]:
    """Each 1 that answered the question for a text, and got an answer, is a consent: it is on record and was met, or it
    is reported why not. Unless it was given without a database and the question, asked again, was answered with 3: the
    last word counts."""
    known = {call.sid: call for call in ours.calls}
    asked: Counter[str] = Counter()  # how often in a row
    consented: set[str] = set()
    unheard: set[str] = set()  # kept on a disk, so that the question may come again
    for one in carried.exchanges:
        if one.problem or not one.path.startswith("/voice/"):
            continue
        asks = any(words in one.body for words in ASKS)
        yes = one.path in ("/voice/hold-key", "/voice/closed") and one.digits == "1" and asked[one.call_sid]
        # A key pressed before the question could be heard is no yes and is asked again, where there is a database: the
        # clock of the calls is quicker than ours, so a first key without one says nothing here.
        if yes and not asks and ("<Gather" in one.body or asked[one.call_sid] > 1):
            consented.add(one.call_sid)
            if "<Gather" not in one.body:
                unheard.add(one.call_sid)
        no = one.path == "/voice/hold-key" and one.digits == "3" and asked[one.call_sid] and "<Gather" in one.body
        if no and not asks:
            consented -= unheard & {one.call_sid}
        if one.path != "/voice/status":
            asked[one.call_sid] = asked[one.call_sid] + 1 if asks else 0
    texts = {text.call_sid for text in ours.texts}
    for sid in sorted(consented):
        names = {fact.name for fact in known[sid].facts} if sid in known else set()
        if not names & {"accepted", "text_refused"}:
            yield f"call {sid}: said yes to a text, which is not on record"
    for call in ours.calls:
        names = {fact.name for fact in call.facts}
        if "accepted" in names and call.sid not in texts and not names & {"text_refused", "number_refused"}:
            yield f"call {call.sid}: a yes without a text, and without a reason"


def _rest(ours: Ours) -> Iterator[str]:
    if ours.waiting:
        yield f"{ours.waiting} kept webhooks have not landed"
    if ours.refused:
        yield f"{ours.refused} kept webhooks were put aside"
    if not ours.books_same:
        yield "the books are not those of a settlement from nothing"
    if not ours.lines_agree:
        yield "the months' lines are not the sums of their entries"
