"""One sentence for the agent who takes a call: what was chosen and said, offered, texted, and what became of
it.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from psycopg import Connection

from ivr.call.state import CallState, Offer, Stage
from ivr.turn import opened
from ivr.wiring import Wiring
from models import calls, facts, texts
from models.calls import InTalk

LATELY = timedelta(hours=4)

#: the furthest thing that became of a text, in this order
_FATES = (
    ("said_solved", "says that it solved it"),
    ("said_not", "says that it did not help"),
    ("clicked", "opened it"),
    ("delivered", "it arrived"),
    ("undelivered", "it did not arrive"),
    ("send_failed", "it could not be sent"),
    ("text_expired", "it was too late to be sent"),
    ("unknown", "it may not have been sent"),
    ("sent", "it is on its way"),
    ("text_queued", "it is about to be sent"),
    ("text_refused", "it could not be texted"),
)


@dataclass(frozen=True)
class Note:
    """What the agent reads. `ended`: the call is over."""

    sentence: str
    queue: str
    waited_s: int
    language: str
    ended: bool


def agent_key(session_secret: str) -> str:
    """The key of the agents' page; another session secret makes another key."""
    return hmac.new(session_secret.encode(), b"offhold agent page", hashlib.sha256).hexdigest()[:40]


def note(wiring: Wiring, agent_call_sid: str) -> Note | None:
    """What to know about the caller an agent's call has taken; None as long as it has taken none. The caller's own
    CallSid, which a TaskRouter task carries, leads there as well."""
    with wiring.pool.connection() as conn:
        row = calls.read(conn, calls.by_agent(conn, agent_call_sid) or agent_call_sid)
        if row is None:
            return None
        state = opened(wiring, row["state"])
        plan = wiring.plans.get(conn, state.plan_version)
        happened = _by_article(conn, row["call_sid"])
    said = sentence(state, plan.labels(state.path, plan.languages[0].code), happened)
    return Note(said, state.queue or "", state.waited_s, state.language, state.stage is Stage.ENDED)


def _by_article(conn: Connection, call_sid: str) -> Mapping[str, set[str]]:
    """The fact names of each article offered in a call, those of its text included."""
    about = {text.id: text.article_id for text in texts.of_call(conn, call_sid)}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for fact in facts.of_call(conn, call_sid):
        article = fact.data.get("article") or about.get(str(fact.data.get("text_id")))
        if article:
            found[str(article)].add(fact.name)
    return found


def lately(wiring: Wiring) -> list[InTalk]:
    """The calls answered last, newest first: for an agent who opened the page without a call."""
    with wiring.pool.connection() as conn:
        return calls.in_talk(conn, wiring.clock() - LATELY)


def sentence(state: CallState, labels: Sequence[str], happened: Mapping[str, set[str]]) -> str:
    """The sentence, in English. `labels` are the choices taken, `happened` the fact names by
    article id.
    """
    parts = [_chosen(state, labels)]
    if state.transcript:
        parts.append(f"said “{state.transcript.rstrip('.')}”")
    if not state.offers:
        parts.append("was offered no article")
    parts += [_offered(offer, happened.get(offer.card.id, set())) for offer in state.offers]
    return "; ".join(parts) + "."


def _chosen(state: CallState, labels: Sequence[str]) -> str:
    if state.rejoined:
        topic = f" about {state.returning.topic}" if state.returning and state.returning.topic else ""
        return f"Came back{topic}"
    return f"Chose {', then '.join(labels)}" if labels else "Chose nothing in the menu"


def _offered(offer: Offer, happened: set[str]) -> str:
    did = []
    if offer.accepted_ms is not None:
        fate = next((words for name, words in _FATES if name in happened), "nothing is known of it yet")
        did.append(f"asked for it by text ({fate})")
    if offer.heard:
        did.append("heard the short version")
    if offer.declined:
        did.append("did not want it")
    if not did:
        did.append("did not answer" if offer.played else "was connected before the offer ended")
    return f"was offered “{offer.card.title}”, " + " and ".join(did)
