"""What each reader gets when something of ours fails: a caller keeps the place, a visitor gets words."""

import secrets

import structlog
from flask import Flask, Response, request
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as AnyResponse

from ivr.call.plan import Plan
from ivr.call.speech import in_language
from ivr.call.wording import words
from ivr.carrier import inbound, standby
from ivr.carrier.twiml import EMPTY
from ivr.landing import Waiting, keep_text
from ivr.places import Crowded
from ivr.turn import UnknownCall
from ivr.watching import webhooks
from ivr.web import pages
from ivr.web.guards import signed_by_carrier, wiring
from ivr.wiring import Wiring
from models.db import DatabaseAway

log = structlog.get_logger()

#: where callers go when no plan was ever read: the name of the starter plan's default queue
LAST_RESORT_QUEUE = "general"
LAST_RESORT_WORDS = "Sorry, something went wrong on our side. Please hold, and we connect you to a person."
#: a text that could not be taken is never dropped without a word
TEXT_NOT_TAKEN = "Sorry, we could not take your text just now. Please send it again in a few minutes."

#: seconds after which a caller is let go of when no plan was ever read: the longest hold a plan may have
LONGEST_HOLD_S = 14_400

#: ends of a call made by `<Dial>` in which two people spoke
TALKED = frozenset({"completed", "answered"})
_IN_WAIT = frozenset({"hold", "hold_key"})
_NOTHING_TO_SAY = frozenset({"connecting", "agent_done"})
#: after these the carrier is not asking where the caller shall go
_CLOSED_RESULTS = frozenset({
    "bridged", "bridging-in-process", "hangup", "redirected", "redirected-from-bridged"})  # fmt: skip


class _Finished(Response):
    """A response that nothing changes on its way out: the framework need not look it over again."""

    def get_wsgi_response(self, environ: object) -> tuple[list[bytes], str, list[tuple[str, str]]]:
        return list(self.iter_encoded()), self.status, self.headers.to_wsgi_list()


def twiml(document: str) -> Response:
    """A document as the carrier takes it."""
    return _Finished(document, content_type="text/xml; charset=utf-8")


def no_content() -> Response:
    """What a receipt or a status gets, known or not."""
    return _Finished(status=204)


def into_queue(service: Wiring) -> str:
    """A sorry and the default queue, with no store."""
    plan = _plan(service)
    base = service.settings.public_base_url
    if plan is None:
        return standby.straight_to_queue(LAST_RESORT_QUEUE, base_url=base, words=LAST_RESORT_WORDS, locale="en-US")
    why = plan.queues[plan.default_queue].hours.closed_why(service.clock())
    if why is not None:
        return _nobody_answers(plan, f"closed_{why}")
    first = plan.languages[0]
    sorry = words(plan, first.code, "sorry_hold")
    return standby.straight_to_queue(plan.default_queue, base_url=base, words=sorry, locale=first.locale)


def _nobody_answers(plan: Plan, why: str) -> str:
    """Why nobody answers in the default queue, then its overflow number or goodbye."""
    queue, first = plan.queues[plan.default_queue], plan.languages[0]
    reason = words(plan, first.code, why, hours=in_language(queue.hours.spoken, first.code))
    last = words(plan, first.code, "overflow" if queue.overflow_number else "goodbye")
    return standby.nobody_answers((reason, last), locale=first.locale, number=queue.overflow_number)


def _hold_on(service: Wiring) -> str:
    """Music, until the longest hold of any queue is over: which queue it is the request does not say."""
    plan = service.plans.known()
    longest_s = max(queue.max_hold_s for queue in plan.queues.values()) if plan else LONGEST_HOLD_S
    if (inbound.waiting(request.form).waited_s or 0) >= longest_s:
        return standby.leave_queue()
    return standby.safe_hold(service.settings.public_base_url, service.audio)


def _from_queue(service: Wiring) -> str:
    """The front caller for an agent who dials in: an agent is never put into the line as if calling for help."""
    plan, asked = _plan(service), request.args.get("queue", "")
    queue = LAST_RESORT_QUEUE
    if plan is not None:
        queue = asked if asked in plan.queues else plan.default_queue
    return standby.front_of_queue(queue, base_url=service.settings.public_base_url)


def _plan(service: Wiring) -> Plan | None:
    known = service.plans.known()
    if known is not None:
        return known
    try:
        with service.pool.connection(within_s=0.2) as conn:
            return service.plans.live(conn)
    except Exception:  # whatever it is, the caller is not to hear of it
        return None


def voice_failed(error: Exception) -> Response:
    """The caller keeps the place, whatever went wrong: the wait loop plays on, a menu leads to the queue."""
    if isinstance(error, HTTPException) and error.code in (403, 404):
        return Response(error.name + "\n", error.code, mimetype="text/plain")
    view = request.path.rpartition("/")[2].replace("-", "_")
    sid = inbound.call_sid(request.form)
    webhooks.note_degraded(_reason(error))
    if isinstance(error, UnknownCall):
        log.info("call_not_known", view=view, call_sid=sid)
    elif isinstance(error, Waiting):
        log.info("voice_view_behind_spool", view=view, call_sid=sid)
    elif isinstance(error, Crowded):  # told by the process, not by each
        pass
    elif isinstance(error, MethodNotAllowed):
        log.error("webhook_not_by_post", view=view, method=request.method)
    elif isinstance(error, DatabaseAway):  # told at length where it was found out
        log.warning("voice_view_without_database", view=view, call_sid=sid)
    else:
        log.error("voice_view_failed", view=view, call_sid=sid, exc_info=error)
    if view == "status":
        return no_content()
    if view in _IN_WAIT:
        return twiml(_hold_on(wiring()))
    if view == "agent":
        return twiml(_from_queue(wiring()))
    if view in _NOTHING_TO_SAY or (view == "queue_result" and is_closed()) or (view == "overflow" and _talked()):
        return twiml(EMPTY)
    left = view == "queue_result" and inbound.queue_left(request.form).result == "leave"
    if left and (plan := _plan(wiring())) is not None:  # we let go of the caller: not back into the line
        return twiml(_nobody_answers(plan, "closed_max_hold"))
    return twiml(into_queue(wiring()))


def _reason(error: Exception) -> str:
    """One of `webhooks.REASONS`."""
    if isinstance(error, UnknownCall):
        return "unknown_call"
    if isinstance(error, Waiting):
        return "behind_spool"
    if isinstance(error, Crowded):
        return "shed"
    if isinstance(error, DatabaseAway | OperationalError):
        return "database_away"
    return "pool_busy" if isinstance(error, PoolTimeout) else "error"


def is_closed() -> bool:
    """Whether a queue result asks for no way on: an agent had the caller, or the call is over."""
    return inbound.queue_left(request.form).result in _CLOSED_RESULTS


def _talked() -> bool:
    return inbound.dial_ended(request.form).status in TALKED


def text_failed(error: Exception) -> Response:
    """A receipt is taken in any case: the carrier tells each once. The sender of a text is asked to send it again;
    one that asks for no more texts is kept none the less.
    """
    if isinstance(error, HTTPException) and error.code in (403, 404):
        return Response(error.name + "\n", error.code, mimetype="text/plain")
    webhooks.note_failed_text(_reason(error))
    kept = keep_text(wiring(), error, request.path, inbound.our_id(request.args), request.form)
    log.error("text_view_failed", view=request.endpoint, kept=kept, exc_info=None if kept else error)
    if request.path.endswith("/status"):
        return no_content()
    return twiml(standby.reply(TEXT_NOT_TAKEN))


def wrong_method(error: Exception) -> AnyResponse:
    """A number that was set to GET by hand: its callers keep a place all the same."""
    failed = next((view for path, view in _WEBHOOKS.items() if request.path.startswith(path)), None)
    if failed is None:
        return page_failed(error)
    return signed_by_carrier() or failed(error)


_WEBHOOKS = {"/voice/": voice_failed, "/sms/": text_failed}


def page_failed(error: Exception) -> AnyResponse:
    """A page in words: what happened, what to do, a number to quote."""
    if isinstance(error, HTTPException):
        status = error.code or 500
        return pages.page("message.html", status, title=_TITLES.get(status, error.name), words=_words(status))
    number = secrets.token_hex(4)
    log.error("page_failed", view=request.endpoint, number=number, exc_info=error)
    return pages.page("message.html", 500, title=_TITLES[500], words=_words(500), number=number)


_TITLES = {
    404: "There is no page here",
    405: "This page cannot be used that way",
    413: "That was too much at once",
    429: "One moment, please",
    500: "Something went wrong on our side",
}


def _words(status: int) -> str:
    if status == 404:
        return "The address may be misspelt, or what it led to is gone. Links from our texts work for 30 days."
    if status == 429:
        return "There were many requests from your connection. Wait a minute and open the link again."
    if status >= 500:
        return "Nothing is lost. Please try again in a minute; if it stays like this, tell us the number below."
    return "Go back and try again."


def install(app: Flask) -> None:
    """Pages for what no view caught."""
    app.register_error_handler(HTTPException, page_failed)
    app.register_error_handler(MethodNotAllowed, wrong_method)
    app.register_error_handler(Exception, page_failed)
