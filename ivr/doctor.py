"""Looks at every part of an installation and says what to do. Asks, and changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

import requests
from urllib3.exceptions import HTTPError

from ivr import gate, ready
from ivr.articles_cli import STARTER_COMMUNITY
from ivr.call.plan import Plan
from ivr.carrier import signature
from ivr.carrier.numbers import AccountNumbers, CarrierSays
from ivr.planfile.read import read_plan
from ivr.planfile.store import STARTER
from ivr.texts import compose
from ivr.wiring import Wiring, index_folder
from models import articles, indexes
from search.calibration import Calibration, shipped
from search.encoder import load_encoder
from search.index import BundleError, verify

WITHIN_S = (3.0, 10.0)
CLOCK_S = 30
TITLE_LEAST = 30
QUEUE_NEARLY_FULL = 0.8
TOKEN_LIKE = "0" * 11  # as long as a real one
TEST_NUMBERS = "+1500555"  # Twilio's own: nobody is there
FALLBACK_BYTES = 65536


@dataclass(frozen=True)
class Finding:
    """One part looked at. `state`: ok, warn or bad; `todo` says what to do unless all is well."""

    part: str
    state: str
    words: str
    todo: str = ""


def examine(wiring: Wiring) -> Iterator[Finding]:
    """Every part, one after the other."""
    yield from (Finding("settings", "warn", line) for line in wiring.settings.warnings())
    yield from _stores(wiring)
    plan = live_plan(wiring)
    if plan is not None:
        yield from _texts(wiring, plan)
        yield from _wrong_texts(wiring, plan)
        if not wiring.settings.development_account:
            yield from _starter(wiring, plan)
            yield from _test_numbers(wiring, plan)
    for part in (_index, _model, _public, _clock, _fallback, _sender, _agents, _number):
        yield part(wiring)
    yield from _queues(wiring, plan)


def live_plan(wiring: Wiring) -> Plan | None:
    """The plan callers hear; None where it cannot be had."""
    try:
        with wiring.pool.connection() as conn:
            return wiring.plans.live(conn)
    except Exception:  # "plan" is among the stores' findings
        return None


_STORE_TODO = {
    "postgresql": "start it, or correct DATABASE_URL",
    "redis": "start it, or correct REDIS_URL; calls go on without it",
    "migrations": "flask release",
    "plan": "flask menu publish FILE --reason WHY",
}


def _stores(wiring: Wiring) -> Iterator[Finding]:
    found = ready.problems(wiring)
    for part, todo in _STORE_TODO.items():
        problem = found[part]
        yield Finding(part, "bad", problem, todo) if problem else Finding(part, "ok", "answers")


def _texts(wiring: Wiring, plan: Plan) -> Iterator[Finding]:
    link = f"{wiring.settings.link_base_url}/r/{TOKEN_LIKE}"
    for language in plan.languages:
        room = compose.title_room(plan, language.code, link)
        part = f"text in {language.code}"
        if room < TITLE_LEAST:
            todo = "shorten text_link in the plan, the brand, or LINK_BASE_URL"
            yield Finding(part, "warn", f"a title has {room} characters in a one-segment text", todo)
        else:
            yield Finding(part, "ok", f"a title has {room} characters")


def _wrong_texts(wiring: Wiring, plan: Plan) -> Iterator[Finding]:
    """The share of texts that may be wrong, and what it rests on and comes to, for each language."""
    try:
        with wiring.pool.connection() as conn:
            known, calibrations = gate.callers(conn, wiring.clock()), gate.of_index(conn)
    except ValueError as error:
        yield Finding("wrong texts", "bad", str(error), "flask index build")
        return
    for language in plan.languages:
        part = f"wrong texts in {language.code}"
        yield _promised(part, plan.offers.wrong_share, known, calibrations.of(language.code))


def _promised(part: str, wanted: float, known: gate.Callers, calibration: Calibration) -> Finding:
    promise = calibration.promise(wanted, known.unanswerable)
    least = calibration.probability(promise.threshold, known.unanswerable)
    whose = "shipped" if calibration == shipped() else "your community's"
    why = f"by {known.calls} calls" if known.calls else f"assumed until {gate.LEAST_CALLS} calls were searched"
    rests = f"nothing here helps {known.unanswerable:.0%} of callers ({why}), the calibration is {whose}"
    comes_to = f"an offer from a probability of {least:.2f} on, which {promise.shown:.0%} of the right articles reach"
    if promise.wrong <= wanted:
        return Finding(part, "ok", f"at most {wanted:.1%}: {comes_to}; {rests}")
    todo = "allow more (wrong_share), or calibrate the search on your community (docs/search.md)"
    return Finding(part, "warn", f"{wanted:.1%} cannot be promised, {promise.wrong:.1%} can: {comes_to}; {rests}", todo)


def _starter(wiring: Wiring, plan: Plan) -> Iterator[Finding]:
    """What `release` put there so that a first call can be taken: it is of a company that does not exist."""
    starter = read_plan(STARTER.read_bytes()).plan
    if starter is not None and plan.brand == starter.brand:
        words_ = f"callers are greeted by {plan.brand}, the made-up company of the starter menu"
        todo = "flask menu export > menu.yaml, make it yours, flask menu publish menu.yaml --reason WHY"
        yield Finding("starter menu", "warn", words_, todo)
    with wiring.pool.connection() as conn:
        sources = articles.count_by_source(conn)
    made_up = sum(count for source, _, state, count in sources if source == STARTER_COMMUNITY and state == "live")
    if made_up:
        words_ = f"{made_up} articles of the made-up starter community may be offered to callers"
        todo = f"flask articles import PATH, flask articles withdraw --source {STARTER_COMMUNITY}, flask index build"
        yield Finding("starter articles", "warn", words_, todo)


def _test_numbers(wiring: Wiring, plan: Plan) -> Iterator[Finding]:
    """The starter menu's overflow number and its like."""
    settings = wiring.settings
    used = {f"overflow_number of queue {name}": queue.overflow_number or "" for name, queue in plan.queues.items()}
    used |= {"callback_number": plan.callback_number, "TWILIO_SENDER_NUMBER": settings.twilio_sender_number or ""}
    used |= {f"AGENT_NUMBERS, {number}": number for number in settings.agent_numbers}
    for where, number in used.items():
        if number.startswith(TEST_NUMBERS):
            words_ = f"{where} is a test number: nobody is there"
            yield Finding("test numbers", "warn", words_, "put your own there, or leave it out")


def _index(wiring: Wiring) -> Finding:
    try:
        with wiring.pool.connection() as conn:
            live = indexes.current(conn)
        if live is None:
            return Finding("index", "bad", "none is published", "flask articles import PATH, then flask index build")
        verify(index_folder(wiring.settings) / live.version)
    except BundleError as error:
        return Finding("index", "bad", f"damaged: {error}", "flask index build")
    except Exception as error:  # the database, told of already
        return Finding("index", "bad", f"cannot be read ({type(error).__name__})", "see postgresql")
    return Finding("index", "ok", f"{live.version}, {live.article_count} articles, every file as it was written")


def _model(wiring: Wiring) -> Finding:
    try:
        encoder = load_encoder(wiring.settings.encoder, wiring.settings.encoder_model)
        length = encoder.encode(["The red light stays on"]).shape[1]
    except Exception as error:
        todo = "install the packages of requirements/, or correct ENCODER and ENCODER_MODEL"
        return Finding("model", "bad", f"does not load ({type(error).__name__})", todo)
    return Finding("model", "ok", f"{encoder.model_id}, {length} dimensions")


def _public(wiring: Wiring) -> Finding:
    """Asks our own public address as the carrier would: a signed status without a call is taken, an unsigned
    one not.

    The escapes in the query show whether a proxy on the way rewrites addresses.
    """
    settings = wiring.settings
    url = f"{settings.public_base_url}/voice/status?probe=%2F%C3%A9"
    form = {"AccountSid": settings.twilio_account_sid, "CallStatus": "completed"}
    signed = signature.sign(url, form, settings.twilio_auth_token[0].get_secret_value())
    try:
        taken = requests.post(url, form, headers={signature.HEADER: signed}, timeout=WITHIN_S, allow_redirects=False)
        unsigned = requests.post(url, form, timeout=WITHIN_S, allow_redirects=False)
    except requests.RequestException as error:
        words_ = f"{settings.public_base_url} cannot be reached from here ({type(error).__name__})"
        return Finding(
            "public address", "bad", words_, "start the web process, or correct PUBLIC_BASE_URL or the tunnel"
        )
    if unsigned.status_code != 403:
        words_ = f"an unsigned request got {unsigned.status_code} in place of 403"
        return Finding("public address", "bad", words_, "PUBLIC_BASE_URL leads to something that is not this service")
    if taken.status_code != 204:
        todo = "PUBLIC_BASE_URL must be to the letter what the carrier calls; no proxy may rewrite the query"
        return Finding("public address", "bad", f"a rightly signed request got {taken.status_code}", todo)
    return Finding("public address", "ok", "takes signed requests, refuses unsigned ones")


def _clock(wiring: Wiring) -> Finding:
    base = wiring.settings.twilio_api_base_url
    try:
        stated = requests.get(base, timeout=WITHIN_S, allow_redirects=False).headers.get("Date", "")
        apart = abs((wiring.clock() - parsedate_to_datetime(stated)).total_seconds())
    except (requests.RequestException, ValueError, TypeError) as error:
        return Finding("clock", "warn", f"{base} told no time ({type(error).__name__})", "see that it can be reached")
    if apart > CLOCK_S:
        return Finding("clock", "bad", f"{apart:.0f} s away from the carrier's", "switch time synchronisation on")
    return Finding("clock", "ok", f"within {apart + 1:.0f} s of the carrier's")


def _fallback(wiring: Wiring) -> Finding:
    url, ours = wiring.settings.voice_fallback_url, urlsplit(wiring.settings.public_base_url).hostname
    host_it = "host the TwiML that `flask twilio setup-number` prints elsewhere and set VOICE_FALLBACK_URL"
    if urlsplit(url).hostname == ours:
        return Finding("fallback", "warn", "on the same host: when this host is away, calls end", host_it)
    try:
        # As the carrier asks for one that is not ours: see `for_callers`.
        with requests.get(url, timeout=WITHIN_S, stream=True) as answer:
            status, document = answer.status_code, answer.raw.read(FALLBACK_BYTES, decode_content=True)
    except (requests.RequestException, HTTPError) as error:
        return Finding("fallback", "bad", f"{url} cannot be reached ({type(error).__name__})", host_it)
    if status != 200 or not _leads_on(document):
        return Finding("fallback", "bad", f"{url} gives no TwiML that leads a caller on (status {status})", host_it)
    return Finding("fallback", "ok", "on another host, leads callers on")


def _leads_on(document: bytes) -> bool:
    """Whether it is TwiML with a verb that takes the call somewhere."""
    try:
        root = ElementTree.fromstring(document)
    except (ElementTree.ParseError, ValueError, LookupError):
        return False
    return root.tag == "Response" and any(verb.tag in {"Enqueue", "Dial", "Redirect"} for verb in root)


def _sender(wiring: Wiring) -> Finding:
    settings = wiring.settings
    if settings.twilio_messaging_service_sid:
        return Finding("sender", "ok", "a messaging service")
    if settings.twilio_sender_number:
        return Finding("sender", "ok", "one number")
    todo = "register a sender and set TWILIO_MESSAGING_SERVICE_SID or TWILIO_SENDER_NUMBER"
    return Finding("sender", "warn", "texts go out from the number that was called", todo)


def _agents(wiring: Wiring) -> Finding:
    settings = wiring.settings
    if settings.agent_numbers:
        words_ = f"{len(settings.agent_numbers)} numbers may dial in, and a caller ID can be forged"
        todo = "keep the agents' number to yourselves, or answer with TaskRouter (docs/going-live.md)"
        return Finding("agents", "warn", words_, todo)
    if settings.production:
        return Finding("agents", "warn", "nobody may dial in to answer", "set AGENT_NUMBERS, or answer with TaskRouter")
    return Finding("agents", "ok", "anybody may dial in (development)")


def _number(wiring: Wiring) -> Finding:
    try:
        ours = AccountNumbers(wiring.settings).calling(wiring.settings.public_base_url)
    except CarrierSays as error:
        return Finding("number", "bad", str(error), "check the account, its key, and TWILIO_API_BASE_URL")
    if not ours:
        return Finding(
            "number", "warn", "no number of the account calls this service", "flask twilio setup-number +1..."
        )
    return Finding("number", "ok", f"{len(ours)} of the account's numbers call this service")


def _queues(wiring: Wiring, plan: Plan | None) -> Iterator[Finding]:
    try:
        sizes = AccountNumbers(wiring.settings).queues()
    except CarrierSays as error:
        yield Finding("queues", "bad", str(error), "check the account, its key, and TWILIO_API_BASE_URL")
        return
    for one in sizes:
        if plan is not None and one.name not in plan.queues:
            continue
        full = one.current >= QUEUE_NEARLY_FULL * one.most
        todo = "raise the queue's size at the carrier, or send callers to overflow sooner" if full else ""
        yield Finding(f"queue {one.name}", "warn" if full else "ok", f"{one.current} of {one.most} places taken", todo)
