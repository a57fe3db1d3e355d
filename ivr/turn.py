"""One turn of a call: load, decide, render, save. What a turn changes is committed before it is answered."""

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta

import structlog
from psycopg import Connection

from ivr.call import queueing
from ivr.call import state as states
from ivr.call.effects import Step
from ivr.call.events import CallStarted, Event, HoldKey, Pressed, TextProgress, Waited
from ivr.call.flow import decide
from ivr.call.holding import is_stale, puts_before
from ivr.call.moment import Moment, NumberCheck
from ivr.call.plan import Plan
from ivr.call.prompts import HangUp
from ivr.call.state import Caller, CallState, Keying, Returning, Stage
from ivr.call.values import replace
from ivr.carrier.codes import told
from ivr.carrier.inbound import Incoming
from ivr.finding import find
from ivr.jobs.queue_text import queue_text, text_refusal
from ivr.live import Latest
from ivr.places import Left
from ivr.texts import numbers
from ivr.watching import shed, webhooks
from ivr.wiring import Wiring
from models import articles, calls, plans, transcripts

log = structlog.get_logger()

MakeEvent = Callable[[tuple[TextProgress, ...]], Event]
ANSWER_WITHIN_S = 0.7  # of a place and the database; without them the caller is answered within a second in all
TRIES = 5  # against other requests for the same call at the same instant
LAST_ONLY = ("=", "turn ")  # marks that tell a repeat of the very latest request only
MARKS_KEPT = 600  # rounds of the longest hold there may be
SEALED = numbers.SEALED


class UnknownCall(LookupError):
    """A webhook for a call that never came in here."""


def start_call(wiring: Wiring, incoming: Incoming) -> str:
    """The first turn of a call, or the latest document again when the call is already known."""
    now = wiring.clock()
    with wiring.pool.connection(within_s=wiring.places.left_s(ANSWER_WITHIN_S)) as conn:
        plan = _plan_for(wiring, conn, incoming)
        caller, returning = _meet(wiring, conn, plan, incoming)
        state = CallState(
            call_sid=incoming.call_sid,
            plan_version=plan.version,
            caller=caller,
            number=incoming.to,
            started_ms=_ms(now.timestamp()),
            language=returning.language if returning else plan.languages[0].code,
        )
        step = _decide(wiring, conn, state, CallStarted(returning), plan)
        document = wiring.render(step.prompts, plan, 1, step.state.language)
        row = _row(wiring, state, step, document)
        if calls.begin(conn, row, number=incoming.to, caller_key=caller.key, test=caller.test):
            _remember(wiring, replace(step.state, turn=1), document)
            webhooks.note_turn(step.state, 1, step.facts)
            return document
        again = _comes_in_again(wiring, conn, incoming)
    if again is not None:
        return again
    return take_turn(
        wiring, incoming.call_sid, lambda _: CallStarted(), turn=None, mark=f"in again {_ms(now.timestamp())}"
    )


def _comes_in_again(wiring: Wiring, conn: Connection, incoming: Incoming) -> str | None:
    """The answer to a call that came in before: a repeat of its first webhook, however late, or a live call that was
    sent back to our number. None where that is left to a turn: sent back out of the queue, and not over."""
    kept = calls.load(conn, incoming.call_sid)
    assert kept is not None
    reply = _reply(wiring, kept)
    try:
        state = opened(wiring, kept.state)
    except ValueError:
        return reply
    webhooks.note_turn(state, kept.turn, repeat=True)
    plan = _plan_of(wiring, conn, state)
    if state.over:
        return wiring.render((HangUp(),), plan, kept.turn, state.language)
    if state.stage is Stage.HOLD and "<Enqueue" not in reply:  # the words of the wait loop hold no one in the queue
        return wiring.render((queueing.prompt(state, plan),), plan, kept.turn, state.language)
    if state.stage not in (Stage.AGENT, Stage.ENDED):
        return reply
    return None if incoming.answered else wiring.render((), plan, kept.turn, state.language)


def take_turn(
    wiring: Wiring,
    call_sid: str,
    make_event: MakeEvent,
    *,
    turn: int | None,
    mark: str,
    from_number: str = "",
) -> str:
    """Answer one webhook of a known call with a rendered document.

    `turn` is the number the action URL carries, None where the carrier's URL cannot change (wait loop, queue result,
    agent, status); there `mark` tells a repeat. A repeat changes nothing and gets the latest document again.
    Raises UnknownCall.
    """
    mark = _brief(mark)
    with wiring.pool.connection(within_s=wiring.places.left_s(ANSWER_WITHIN_S)) as conn:
        for tried in range(TRIES):
            kept = wiring.recent.get(call_sid) if not tried else None
            if kept is not None and _looks_old(kept, turn, mark, make_event, Moment(wiring.clock())):
                kept = None  # perhaps it is what is remembered that is old: another process took turns meanwhile
            if kept is None:
                kept = _load(wiring, conn, call_sid)
            plan = _plan_of(wiring, conn, kept.state)
            state = kept.state
            if plan.version != state.plan_version:
                state = replace(state, plan_version=plan.version)
            if _is_repeat(kept, turn, mark):
                webhooks.note_turn(state, kept.turn, repeat=True)
                latest = state.hold_seen[-1:] == ((mark if turn is None else f"turn {turn}"),)
                late = state.stage in (Stage.AGENT, Stage.ENDED) and not latest
                return wiring.render((), plan, kept.turn, state.language) if late else kept.reply
            event = make_event(kept.texts)
            if is_stale(state, event, Moment(wiring.clock())):
                webhooks.note_turn(state, kept.turn, repeat=True)
                return kept.reply
            step = _decide(wiring, conn, state, event, plan, from_number)
            if _told_late(event) and step.state is state:
                return kept.reply  # a new turn would take the keys away from what the caller hears by now
            step = replace(step, state=_marked(_unsaid(step.state), mark if turn is None else f"turn {turn}"))
            document = wiring.render(step.prompts, plan, kept.turn + 1, step.state.language)
            if _save(wiring, conn, _row(wiring, state, step, document), step, plan, from_number, state):
                if step.state.stage is Stage.HOLD or state.stage is Stage.HOLD:
                    wiring.board.note(step.state)
                _remember(wiring, replace(step.state, turn=kept.turn + 1), document)
                webhooks.note_turn(step.state, kept.turn + 1, step.facts)
                return document
            wiring.recent.forget(call_sid)
    raise TimeoutError(f"another request took the turn {TRIES} times")


def agent_came(wiring: Wiring, call_sid: str) -> bool:
    """Whether an agent took a call. Raises what a database that is away raises."""
    with wiring.pool.connection(within_s=ANSWER_WITHIN_S) as conn:
        found = calls.read(conn, call_sid)
    return found is not None and (found["stage"] == Stage.AGENT or found["agent_call_sid"] is not None)


def _plan_of(wiring: Wiring, conn: Connection, state: CallState) -> Plan:
    """The plan a call began with; the live one where that is gone, so that the call still comes to an end."""
    try:
        return wiring.plans.get(conn, state.plan_version)
    except LookupError:
        log.warning("plan_is_gone", call_sid=state.call_sid, version=state.plan_version)
        return wiring.plans.live(conn)


def _plan_for(wiring: Wiring, conn: Connection, incoming: Incoming) -> Plan:
    """The live plan; for a call of the test phone the draft on trial that it asks for. The carrier's own calls never
    get one, whatever they carry: their account is a company's own."""
    wanted = incoming.plan
    if wanted is None or not wiring.development_account or wiring.settings.test_phone != "on":
        return wiring.plans.live(conn)
    return wiring.plans.get(conn, wanted) if plans.is_on_trial(conn, wanted) else wiring.plans.live(conn)


def _meet(wiring: Wiring, conn: Connection, plan: Plan, incoming: Incoming) -> tuple[Caller, Returning | None]:
    """Who is calling, as far as a call may know, and where a call of the last day led."""
    now = wiring.clock()
    rules = plan.offers
    own = wiring.development_account
    shown = "" if incoming.is_borrowed else incoming.from_  # nobody's text, topic or STOP follows from a forged number
    found = numbers.classify(shown, own=incoming.to, countries=wiring.settings.allowed_text_countries)
    key = wiring.numbers.key(found.e164) if found.e164 else None
    bucket = wiring.numbers.bucket(rules.experiment, key or incoming.call_sid)
    caller = Caller(found.kind, key, bucket, test=own, force_arm=_forced_arm(incoming.arm) if own else None)
    if key is None:
        return caller, None
    known = calls.profile(conn, key, now - timedelta(days=1), now - timedelta(hours=rules.return_within_h))
    caller = replace(caller, opted_out=known.opted_out, texts_today=known.texts_today)
    if known.leaf is None and known.topic is None:
        return caller, None
    topic = "" if known.discreet else (known.topic or "")
    return caller, Returning(topic, known.leaf or "", tuple(known.path or ()), known.language or plan.languages[0].code)


def _forced_arm(wanted: str) -> str | None:
    return {"draw": None, "holdout": "holdout"}.get(wanted, "treat")


def _decide(
    wiring: Wiring, conn: Connection, state: CallState, event: Event, plan: Plan, from_number: str = ""
) -> Step:
    moment = _moment(wiring, conn, state, event)
    step = decide(state, event, plan, moment)
    while gone := _withdrawn(conn, state, step) - moment.withdrawn:
        moment = replace(moment, withdrawn=moment.withdrawn | gone)
        step = decide(state, event, plan, moment)
    if step.search is not None:
        found = find(wiring, conn, step.search)
        after = decide(step.state, found, plan, moment)
        step = replace(after, facts=(*step.facts, *after.facts))
    if step.text is not None:
        refusal = text_refusal(wiring, conn, state, step.text, plan, from_number)
        if refusal is not None:
            return decide(state, event, plan, replace(moment, text_refusal=refusal))
    return step


def _withdrawn(conn: Connection, before: CallState, step: Step) -> frozenset[str]:
    """Articles that a step would put before the caller although they were withdrawn since they were found."""
    return frozenset(one for one in puts_before(before, step.state) if articles.state(conn, one) == "withdrawn")


def _moment(wiring: Wiring, conn: Connection, state: CallState, event: Event) -> Moment:
    lines = wiring.queues.now(conn)
    check: NumberCheck | None = None
    if isinstance(event, HoldKey | Pressed) and state.keying is Keying.NUMBER:
        check = numbers.check_typed(event.keys, wiring.settings.allowed_text_countries, state.number)
    crowded = wiring.places.left_out() >= Left.OFFERS
    if crowded and isinstance(event, Waited):
        shed.count("offer")
    return Moment(
        wiring.clock(),
        lines.outlooks,
        lines.closed,
        check,
        stopped=lines.stopped,
        stopped_queues=lines.stopped_queues,
        incidents=lines.incidents,
        crowded=crowded,
    )


def _save(
    wiring: Wiring,
    conn: Connection,
    row: calls.Turn,
    step: Step,
    plan: Plan,
    from_number: str,
    before: CallState,
) -> bool:
    heard = step.state.transcript if step.state.notice_given else ""
    said = heard if heard != before.transcript else ""
    if step.text is None and not said and not step.cancel_follow_ups:
        return calls.save(conn, row)
    with conn.transaction():
        if not calls.save(conn, row):
            return False
        if said:
            transcripts.add(conn, row.call_sid, row.turn, wiring.numbers.seal(said), row.at)
        if step.text is not None:
            queue_text(wiring, conn, step.state, step.text, plan, from_number)
        if step.cancel_follow_ups:
            wiring.cancel_follow_ups(conn, row.call_sid)
    return True


def _row(wiring: Wiring, before: CallState, step: Step, document: str) -> calls.Turn:
    state = replace(step.state, turn=before.turn + 1)
    return calls.Turn(
        call_sid=state.call_sid,
        turn=before.turn,
        state=_sealed(wiring, state),
        reply=_kept_reply(wiring, state, document),
        stage=state.stage.value,
        language=state.language,
        queue=state.queue,
        leaf=state.leaf,
        position=state.position,
        waited_s=state.waited_s,
        agent_call_sid=state.agent_call_sid,
        at=wiring.clock(),
        ended=state.over,
        plan_version=state.plan_version,
        index_version=state.index_version,
        facts=[calls.NewFact(fact.name, fact.data) for fact in step.facts],
    )


def _sealed(wiring: Wiring, state: CallState) -> str:
    """The state for the database: what the caller said and typed is not readable in it."""
    said, typed = _hidden(wiring, state.transcript), _hidden(wiring, state.keyed)
    return states.to_json(replace(state, transcript=said, keyed=typed))


def opened(wiring: Wiring, text: str) -> CallState:
    """The state out of the database. Raises ValueError when it was sealed under a key that is gone."""
    state = states.from_json(text)
    if not (state.transcript or state.keyed):
        return state
    return replace(state, transcript=_shown(wiring, state.transcript), keyed=_shown(wiring, state.keyed))


def _hidden(wiring: Wiring, words: str) -> str:
    return base64.b64encode(wiring.numbers.seal(words)).decode() if words else ""


def _shown(wiring: Wiring, sealed: str) -> str:
    return wiring.numbers.open(base64.b64decode(sealed)) if sealed else ""


def _kept_reply(wiring: Wiring, state: CallState, document: str) -> str:
    """The document for repeats; sealed where it reads a typed number back or carries what the caller said."""
    private = state.keyed or (state.transcript and "<Task" in document)
    return SEALED + _hidden(wiring, document) if private else document


def _reply(wiring: Wiring, kept: calls.Kept) -> str:
    return _shown(wiring, kept.reply.removeprefix(SEALED)) if kept.reply.startswith(SEALED) else kept.reply


def _load(wiring: Wiring, conn: Connection, call_sid: str) -> Latest:
    kept = calls.load(conn, call_sid)
    if kept is None:
        raise UnknownCall(call_sid)
    texts = tuple(TextProgress(article, told(status, code), code) for article, status, code in kept.texts or ())
    return Latest(opened(wiring, kept.state), kept.turn, _reply(wiring, kept), texts)


def _remember(wiring: Wiring, state: CallState, document: str) -> None:
    """Keep what this turn left for the next one, which the database then need not be asked for. Saving that one checks
    that no other process took a turn meanwhile. Not kept: the end, and calls whose texts move on without us."""
    if state.texts_asked or state.over:
        wiring.recent.forget(state.call_sid)
    else:
        wiring.recent.keep(Latest(state, state.turn, document, ()))


def _unsaid(state: CallState) -> CallState:
    """Words said before the caller was told that they are written down serve the search, and are not kept after it."""
    asking = state.stage in (Stage.RETURNING, Stage.MENU, Stage.DESCRIBE)
    return state if asking or state.notice_given or not state.transcript else replace(state, transcript="")


def _is_repeat(kept: Latest, turn: int | None, mark: str) -> bool:
    return _seen(kept.state, mark) if turn is None else turn != kept.turn


def _looks_old(kept: Latest, turn: int | None, mark: str, make_event: MakeEvent, moment: Moment) -> bool:
    """Whether a request seems to be one that was answered before, by what this process remembers of the call, or is
    told so late that the call went on elsewhere."""
    event = make_event(kept.texts)
    return _is_repeat(kept, turn, mark) or _told_late(event) or is_stale(kept.state, event, moment)


def _told_late(event: Event) -> bool:
    return isinstance(event, HoldKey | Pressed) and event.late is not None


def _seen(state: CallState, mark: str) -> bool:
    return mark in (state.hold_seen[-1:] if mark.startswith(LAST_ONLY) else state.hold_seen)


def _marked(state: CallState, mark: str) -> CallState:
    """With the mark as the newest. Tokens are kept for the whole call: a request may be sent again at any time."""
    tokens = tuple(one for one in state.hold_seen if not one.startswith(LAST_ONLY))
    return replace(state, hold_seen=(*tokens[1 - MARKS_KEPT :], mark))


def _brief(mark: str) -> str:
    return mark if mark.startswith(LAST_ONLY) else hashlib.sha256(mark.encode()).hexdigest()[:12]


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
