"""An inbound text: read, recorded and answered exactly once, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_bytes
from uuid import uuid4

import structlog
from psycopg import Connection

from ivr import kept_texts
from ivr.call.answers import withheld
from ivr.call.effects import Search
from ivr.call.events import Found
from ivr.call.moment import Moment
from ivr.call.plan import Plan
from ivr.call.understand import forbidden
from ivr.carrier.inbound import Message
from ivr.finding import find
from ivr.texts import compose, links, replies
from ivr.texts import numbers as phone_numbers
from ivr.texts.compose import Composed
from ivr.wiring import Wiring
from models import articles, facts, inbound, numbers, optouts, texts
from models.texts import NewText, Text
from search.result import ArticleCard

log = structlog.get_logger()

ABOUT_WITHIN = timedelta(days=30)  # an answer is about the latest text of this time
HOUR = timedelta(hours=1)
PER_HOUR = 6  # answers to one number
VERDICTS = frozenset({"solved", "not"})
SAME_AGAIN = timedelta(minutes=1)  # two machines answering each other get no further than this


@dataclass(frozen=True, slots=True)
class _Said:
    """One inbound text and what it is about."""

    message: Message
    key: str
    kind: str
    about: Text | None
    plan: Plan
    language: str
    at: datetime

    @property
    def thread(self) -> str:
        """The call its facts belong to; a text out of the blue is a thread of its own."""
        return self.about.call_sid if self.about else self.message.message_sid

    @property
    def number(self) -> str:
        """The number to tap for a person."""
        return self.plan.callback_number or (self.about.from_number if self.about else self.message.to)


def answer_text(wiring: Wiring, message: Message) -> str | None:
    """The reply to an inbound text, None for none. A repeat of the message changes nothing and gets the same reply."""
    with wiring.pool.connection() as conn, conn.transaction():
        key, now = wiring.numbers.key(message.from_), wiring.clock()
        known = inbound.begin(conn, message.message_sid, key, _prefix_key(wiring, message), now)
        if known is not None:
            return kept_texts.told_reply(wiring, known.reply)
        said = _understood(wiring, conn, message, key, now)
        kind, reply = _answer(wiring, conn, said)
        _tell(conn, said, "replied", {"kind": kind, "segments": reply.segments if reply else 0})
        inbound.finish(
            conn, message.message_sid, kind, kept_texts.kept_reply(wiring, conn, reply.body if reply else None)
        )
        return reply.body if reply else None


def _understood(wiring: Wiring, conn: Connection, message: Message, key: str, now: datetime) -> _Said:
    plan = wiring.plans.live(conn)
    about = texts.latest_to(conn, key, now - ABOUT_WITHIN)
    kind = asked_for(message, opted_out=optouts.is_out(conn, key))
    language = about.language if about else plan.languages[0].code
    return _Said(message, key, kind, about, plan, language, now)


def asked_for(message: Message, *, opted_out: bool) -> str:
    """What a text asks for. The carrier's word goes before ours: a company may have taught it words of its own."""
    told = (message.opt_out_type or "").strip().lower()
    return told if told in {"stop", "start", "help"} else replies.read(message.body, opted_out=opted_out)


def _answer(wiring: Wiring, conn: Connection, said: _Said) -> tuple[str, Composed | None]:
    """What the text was, as recorded, and the answer to it."""
    carrier_did = said.message.opt_out_type is not None or replies.carrier_answers(said.message.body)
    if said.kind in {"stop", "start"}:
        reply = _stop(conn, said) if said.kind == "stop" else _start(conn, said)
        return said.kind, None if carrier_did or _budget_spent(wiring, conn, said) else reply
    if optouts.is_out(conn, said.key) or said.kind == "empty":
        return said.kind, None
    answered, spent = inbound.replies_since(conn, said.key, said.at - HOUR), _budget_spent(wiring, conn, said)
    if answered >= PER_HOUR or spent:
        if said.kind in VERDICTS:  # counts, answered or not
            _BY_KIND[said.kind](wiring, conn, said)
        if answered > PER_HOUR or spent:
            return said.kind, None
        return "too_many", _plain(said, "reply_too_many", number=said.number)
    kind, reply = _BY_KIND[said.kind](wiring, conn, said)
    again = kind != "found" and inbound.replies_since(conn, said.key, said.at - SAME_AGAIN, (kind,))
    return kind, None if carrier_did or again else reply


def _prefix_key(wiring: Wiring, message: Message) -> str:
    return wiring.numbers.key(phone_numbers.prefix(message.from_))


def _budget_spent(wiring: Wiring, conn: Connection, said: _Said) -> bool:
    """Whether an answer would cost more than abuse may: a country whose numbers get no texts, or more answers within
    the hour than numbers that begin alike, or all numbers, are given. The sender is told nothing, and pays for it."""
    settings = wiring.settings
    if said.message.from_ == said.message.to:  # our own: it would answer itself
        return True
    if not phone_numbers.textable(said.message.from_, settings.allowed_text_countries)[1]:
        return True
    done = inbound.answered_since(conn, _prefix_key(wiring, said.message), said.at - HOUR)
    if done.in_prefix < settings.prefix_answers_an_hour and done.in_all < settings.answers_an_hour:
        return False
    log.warning("answers_budget_spent", text_sid=said.message.message_sid, prefix=done.in_prefix, all=done.in_all)
    return True


def _plain(said: _Said, key: str, **values: str) -> Composed:
    brand = said.plan.brand
    return compose.plain_text(said.plan, said.language, key, brand=brand, **values)


def _tell(
    conn: Connection, said: _Said, name: str, data: dict[str, object], *, once: str | None = None,
    index_version: str | None = None,
) -> bool:  # fmt: skip
    return facts.add(
        conn,
        said.thread,
        name,
        said.at,
        {**({"text_id": said.about.id} if said.about else {}), **data},
        once=once or f"{name}:{said.message.message_sid}",
        plan_version=said.plan.version,
        index_version=index_version,
    )


def _stop(conn: Connection, said: _Said) -> Composed | None:
    new = optouts.opt_out(conn, said.key, said.at, "reply")
    if new:
        _tell(conn, said, "opted_out", {"how": "reply"})
    texts.cancel_to(conn, said.key, said.at, "opted_out")
    return _plain(said, "reply_stop") if new else None


def _start(conn: Connection, said: _Said) -> Composed | None:
    if not optouts.opt_in(conn, said.key, said.at, "reply"):
        return None
    _tell(conn, said, "opted_in", {})
    return _plain(said, "reply_start")


def _help(_: Wiring, conn: Connection, said: _Said) -> tuple[str, Composed | None]:
    return "help", _plain(said, "reply_help", number=said.number)


def _solved(_: Wiring, conn: Connection, said: _Said) -> tuple[str, Composed | None]:
    if said.about is None:
        return "solved", None  # thanks out of the blue
    texts.cancel_follow_ups(conn, said.about.call_sid)
    if not say_solved(conn, said.about, said.at, "reply", said.plan.version):
        return "solved", None
    return "solved", _plain(said, "reply_solved")


def _not(wiring: Wiring, conn: Connection, said: _Said) -> tuple[str, Composed | None]:
    if said.about is None:
        return _help(wiring, conn, said)
    texts.cancel_follow_ups(conn, said.about.call_sid)
    say_not(conn, said.about, said.at, "reply", said.plan.version)
    return "not", _plain(said, "reply_not", number=said.number)


def _steps(wiring: Wiring, conn: Connection, said: _Said) -> tuple[str, Composed | None]:
    if said.about is None:
        return _help(wiring, conn, said)
    if articles.state(conn, said.about.article_id) == "withdrawn":  # withdrawn: its steps may do harm
        return "steps", _plain(said, "reply_nothing", number=said.number)
    article = articles.read(conn, said.about.article_id)
    accepted = article.accepted if article else None
    body = compose.steps_text(said.plan, said.language, accepted.text) if accepted else None
    if body is None:
        token = kept_texts.token_of(wiring, said.about)
        if token is None:
            return "steps", _plain(said, "reply_nothing", number=said.number)
        link = links.url(wiring.settings.link_base_url, token)
        return "steps", _plain(said, "reply_no_steps", link=link)
    _tell(conn, said, "steps_sent", {"article": said.about.article_id, "segments": body.segments})
    return "steps", body


def _question(wiring: Wiring, conn: Connection, said: _Said) -> tuple[str, Composed | None]:
    """Searched as a transcript is; answered with an article's link, or how to reach a person."""
    body, share = said.message.body, said.plan.offers.wrong_share
    if forbidden(body, said.plan, said.language):  # as on a call: fraud, bereavement ... are for a person
        found = Found((), "never_offer", None, None, None)
    else:
        found = find(wiring, conn, Search((), body, said.language, wrong_share=share))
    reason = _withheld(wiring, conn, said, found.cards[0]) if found.cards else found.reason
    if reason is not None:
        told: dict[str, object] = {"reason": reason, "score": found.score}
        _tell(conn, said, "question_answered", told, index_version=found.index_version)
        return "nothing", _plain(said, "reply_nothing", number=said.number)
    card = found.cards[0]
    text, answer = _answer_row(wiring, conn, said, card)
    told = {"text_id": text.id, "article": card.id, "score": found.score}
    _tell(conn, said, "question_answered", told, index_version=found.index_version)
    return "found", answer


def _withheld(wiring: Wiring, conn: Connection, said: _Said, card: ArticleCard) -> str | None:
    """Why managers let nobody have this article now, by text no more than on a call."""
    lines, leaf = wiring.queues.now(conn), said.about.leaf if said.about else None
    moment = Moment(said.at, stopped=lines.stopped, stopped_queues=lines.stopped_queues, incidents=lines.incidents)
    return withheld(card, said.plan, moment, leaf)


def _answer_row(wiring: Wiring, conn: Connection, said: _Said, card: ArticleCard) -> tuple[Text, Composed]:
    """The row behind the link of an answer. It is not sent by us: the carrier takes it with our response."""
    token = links.make_token(token_bytes(16))
    link = links.url(wiring.settings.link_base_url, token)
    body = compose.found_text(said.plan, said.language, title=card.title, link=link)
    new = NewText(
        id=uuid4().hex,
        call_sid=said.message.message_sid,
        article_id=card.id,
        kind="reply",
        caller_key=said.key,
        to_key=said.key,
        number_id=numbers.keep(conn, said.key, wiring.numbers.seal(said.message.from_), said.at),
        from_number=said.message.to,
        language=said.language,
        leaf=None,
        topic=card.title,
        discreet=False,
        path=(),
        body=body.body,
        segments=body.segments,
        token=token,
        typed=False,
        test=said.about.test if said.about else wiring.settings.development_account,
        due_at=said.at,
        created_at=said.at,
        expires_at=said.at,
        status="sent",
    )
    return texts.queue(conn, kept_texts.as_kept(wiring, conn, new))[0], body


_BY_KIND: dict[str, Callable[[Wiring, Connection, _Said], tuple[str, Composed | None]]] = {
    "help": _help,
    "solved": _solved,
    "not": _not,
    "steps": _steps,
    "question": _question,
}


def say_solved(conn: Connection, text: Text, at: datetime, how: str, plan_version: int | None) -> bool:
    """Record that a text's reader said it solved the problem, by `how` (reply, tap). Once a text; whether it is new."""
    new = facts.add(
        conn,
        text.call_sid,
        "said_solved",
        at,
        {"text_id": text.id, "article": text.article_id, "how": how},
        once=f"said_solved:{text.id}",
        plan_version=plan_version,
    )
    if new and not text.test:  # what callers hear counts callers only
        articles.count_helped(conn, text.article_id)
    return new


def say_not(conn: Connection, text: Text, at: datetime, how: str, plan_version: int | None) -> bool:
    """Record that a text's reader said it did not help. Once a text; whether it is new."""
    return facts.add(
        conn,
        text.call_sid,
        "said_not",
        at,
        {"text_id": text.id, "article": text.article_id, "how": how},
        once=f"said_not:{text.id}",
        plan_version=plan_version,
    )
