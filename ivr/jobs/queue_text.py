"""From the caller's yes to a row and its job, in the turn's own transaction."""

from datetime import datetime, timedelta
from secrets import token_bytes
from uuid import uuid4

import structlog
from psycopg import Connection

from ivr import kept_texts
from ivr.call.effects import QueueText
from ivr.call.plan import Plan
from ivr.call.state import CallState
from ivr.jobs.app import defer_send
from ivr.jobs.times import DEFAULT
from ivr.texts import compose, links, numbers, quiet
from ivr.texts.compose import Composed
from ivr.texts.consent import Standing, may_text
from ivr.wiring import Wiring
from models import facts, text_counts, texts
from models import numbers as number_rows
from models.texts import NewText, Text

log = structlog.get_logger()

FOLLOW_UP_USEFUL = timedelta(hours=1)


def text_refusal(
    wiring: Wiring, conn: Connection, state: CallState, asked: QueueText, plan: Plan, from_number: str
) -> str | None:
    """Why the text a caller asked for may not go, None when it may. `from_number` is the caller's number."""
    number = asked.to or from_number
    if not number or number == state.number:
        return "kind"
    if asked.to is None and wiring.numbers.key(number) != state.caller.key:
        return "kind"  # a text goes to the number the call came from, whatever a later webhook names
    settings, typed = wiring.settings, asked.to is not None
    seen = texts.asked(
        conn,
        call_sid=state.call_sid,
        article_id=asked.article_id,
        kind=_kind(asked),
        to_key=wiring.numbers.key(number),
        prefix_key=_prefix_key(wiring, number),
        now=wiring.clock(),
    )
    counted = text_counts.counted(conn, numbers.country(number), wiring.clock())
    if seen.article == "withdrawn":
        return "withdrawn"
    textable, country_allowed = numbers.textable(number, settings.allowed_text_countries)
    refusal = may_text(
        Standing(
            opted_out=seen.opted_out,
            textable=textable,
            country_allowed=country_allowed,
            typed=typed,
            again=seen.again,
            in_call=seen.in_call,
            in_day=seen.in_day,
            typed_in_day=seen.typed_in_day,
            prefix_spent=seen.in_prefix >= settings.prefix_texts_a_day
            or (typed and seen.typed_in_prefix >= settings.prefix_typed_texts_a_day),
            country_spent=counted.in_country >= settings.country_texts_a_day,
            minute_spent=counted.in_minute >= settings.texts_a_minute,
        ),
        plan.offers,
    )
    if refusal == "prefix_cap":  # many callers or one that means harm: somebody should look
        log.warning("prefix_budget_spent", call_sid=state.call_sid, texts=seen.in_prefix, typed=seen.typed_in_prefix)
    elif refusal in ("country_cap", "minute_cap"):
        log.warning("texts_budget_spent", call_sid=state.call_sid, why=refusal, **counted._asdict())
    return refusal


def _kind(asked: QueueText) -> str:
    return "link" if asked.news is None else "status"


def _prefix_key(wiring: Wiring, number: str) -> str:
    return wiring.numbers.key(numbers.prefix(number))


def queue_text(
    wiring: Wiring, conn: Connection, state: CallState, asked: QueueText, plan: Plan, from_number: str
) -> str | None:
    """Queue a text and its job; both commit with the transaction of `conn`. Its id, None when it may not go after all
    (another call to the same number was quicker), which is a fact then."""
    number, now = asked.to or from_number, wiring.clock()
    to_key = wiring.numbers.key(number)
    texts.lock_number(conn, to_key)
    texts.lock_number(conn, _prefix_key(wiring, number))  # always after the number's own: no two wait for each other
    refusal = text_refusal(wiring, conn, state, asked, plan, from_number)
    if refusal is not None:
        facts.add(
            conn,
            state.call_sid,
            "text_refused",
            now,
            {"reason": refusal, "article": asked.article_id},
            plan_version=plan.version,
            index_version=state.index_version,
        )
        return None
    new = _new(wiring, conn, state, asked, plan, number, now)
    text, is_new = texts.queue(conn, kept_texts.as_kept(wiring, conn, new))
    if is_new:
        if asked.to is not None and state.caller.key is not None:
            number_rows.link(conn, state.caller.key, to_key)
        _tell(conn, state, "text_queued" if asked.news is None else "news_queued", now, plan, text)
        defer_send(conn, text.id)
        if not text.test:
            text_counts.add(conn, numbers.country(number), now)
        if asked.news is None:
            _queue_follow_up(wiring, conn, state, plan, text, number)
    return text.id


def _title(state: CallState, article_id: str) -> str:
    cards = [offer.card for offer in state.offers] + list(state.candidates)
    return next((card.title for card in cards if card.id == article_id), "")


def _new(
    wiring: Wiring,
    conn: Connection,
    state: CallState,
    asked: QueueText,
    plan: Plan,
    number: str,
    now: datetime,
) -> NewText:
    token = links.make_token(token_bytes(16))
    body = _body(wiring, state, asked, plan, token)
    to_key = wiring.numbers.key(number)
    return NewText(
        id=uuid4().hex,
        call_sid=state.call_sid,
        article_id=asked.article_id,
        kind=_kind(asked),
        caller_key=state.caller.key,
        to_key=to_key,
        number_id=number_rows.keep(conn, to_key, wiring.numbers.seal(number), now),
        from_number=state.number,
        language=asked.language,
        leaf=asked.leaf,
        topic=asked.topic,
        discreet=asked.discreet,
        path=asked.path,
        body=body.body,
        segments=body.segments,
        token=token,
        typed=asked.to is not None,
        test=state.caller.test,
        due_at=now,
        created_at=now,
        expires_at=now + DEFAULT.useful,
        prefix_key=_prefix_key(wiring, number),
    )


def _body(wiring: Wiring, state: CallState, asked: QueueText, plan: Plan, token: str) -> Composed:
    link = links.url(wiring.settings.link_base_url, token)
    if asked.news is not None:
        return compose.news_text(plan, asked.language, news=asked.news, link=link)
    title = _title(state, asked.article_id)
    return compose.link_text(plan, asked.language, title=title, link=link, discreet=asked.discreet)


def _tell(conn: Connection, state: CallState, name: str, at: datetime, plan: Plan, text: Text) -> None:
    facts.add(
        conn,
        state.call_sid,
        name,
        at,
        {"text_id": text.id, "article": text.article_id, "segments": text.segments},
        once=f"{name}:{text.id}",
        plan_version=plan.version,
        index_version=state.index_version,
    )


def _queue_follow_up(wiring: Wiring, conn: Connection, state: CallState, plan: Plan, text: Text, number: str) -> None:
    """The later "did it help?", where the plan has it: its own row, due after some hours outside quiet hours.

    The sweep sends it; an answer, a tap, an agent or STOP cancels it before.
    """
    if not plan.offers.follow_up:
        return
    now = wiring.clock()
    due = quiet.next_loud(now + timedelta(hours=plan.offers.follow_up_after_h), number, plan.offers)
    if due is None:
        return
    body = compose.follow_up_text(plan, text.language)
    new = NewText(**{name: getattr(text, name) for name in NewText._fields})._replace(
        id=uuid4().hex,
        kind="follow_up",
        body=body.body,
        segments=body.segments,
        token=links.make_token(token_bytes(16)),
        due_at=due,
        expires_at=due + FOLLOW_UP_USEFUL,
    )
    follow_up, is_new = texts.queue(conn, kept_texts.as_kept(wiring, conn, new))
    if is_new:
        _tell(conn, state, "follow_up_queued", now, plan, follow_up)
