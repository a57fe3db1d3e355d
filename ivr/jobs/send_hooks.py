"""Facts sent to whoever wants them, from a list in the database: each until it was taken, or given up after three days.

A receiver that fails holds up nobody else's messages, and is switched off when it took nothing for three days.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import requests
import structlog
from psycopg import Connection

from ivr import hook_messages, hook_posts
from ivr.wiring import Wiring
from models import api_answers, audit, hooks
from models.hooks import Hook, Message

log = structlog.get_logger()

EVERY_S = 2.0
WITHIN_S = 15.0  # for an answer, in all
LOST_AFTER = timedelta(minutes=2)  # a message taken by a worker that died is sent again
AT_ONCE = 100  # messages of a webhook before others have their turn
SIDE_BY_SIDE = 4
#: after the first, second, ... attempt; then it is given up
AGAIN_AFTER = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
OFF_AFTER = timedelta(days=3)
KEPT = timedelta(days=7)
ANSWERS_KEPT = timedelta(days=1)
GONE = 410  # the receiver says that nothing is wanted there any more


def send_hooks(wiring: Wiring) -> int:
    """Send what is due; how many were taken."""
    with wiring.pool.connection() as conn:
        wanted = [one for one in hooks.listed(conn) if one.off_at is None]
    if not wanted:
        return 0
    with ThreadPoolExecutor(min(len(wanted), SIDE_BY_SIDE), "hooks") as threads:
        return sum(threads.map(lambda one: _send_of(wiring, one), wanted))


def forget_hook_messages(wiring: Wiring) -> None:
    """Forget messages of more than a week ago, and the API's answers of more than a day ago."""
    now = wiring.clock()
    with wiring.pool.connection() as conn:
        hooks.forget_old(conn, now - KEPT)
        api_answers.erase_before(conn, now - ANSWERS_KEPT)


def _send_of(wiring: Wiring, hook: Hook) -> int:
    """Messages of one webhook, until one is not taken or none is due."""
    with wiring.pool.connection() as conn:
        hooks.take_new(conn, hook.id, wiring.clock())
    for taken in range(AT_ONCE):
        with wiring.pool.connection() as conn:
            now = wiring.clock()
            message = hooks.claim(conn, hook.id, now, now + LOST_AFTER)
        if message is None or not _send(wiring, hook, message):
            return taken
    return AT_ONCE


def _send(wiring: Wiring, hook: Hook, message: Message) -> bool:
    content = hook_messages.body(
        f"offhold.{message.fact.name}", message.fact.at, hook_messages.told(message.fact, test=message.test)
    )
    problem, gone = post(wiring, hook, f"msg_{hook.id}_{message.fact.id}", content)
    with wiring.pool.connection() as conn, conn.transaction():
        if problem is None:
            hooks.delivered(conn, hook.id, message.id)
            return True
        now = wiring.clock()
        wait = AGAIN_AFTER[message.attempts - 1] if message.attempts <= len(AGAIN_AFTER) else None
        again_at = now + wait if wait is not None else None
        since = hooks.failed(conn, hook.id, message.id, problem=problem, at=now, again_at=again_at)
        if gone or now - since >= OFF_AFTER:
            _switch_off(wiring, conn, hook, problem, now)
    log.warning("webhook_not_taken", webhook=hook.id, attempts=message.attempts, problem=problem)
    return False


def _switch_off(wiring: Wiring, conn: Connection, hook: Hook, problem: str, now: datetime) -> None:
    if hooks.switch_off(conn, hook.id, problem, now):
        audit.note(conn, who="worker", what="webhook.off", on=f"webhook {hook.id}", why=problem, at=now)


def send_test(wiring: Wiring, hook: Hook) -> str | None:
    """Send a message of no meaning now; what went wrong, None: it was taken."""
    now = wiring.clock()
    content = hook_messages.body("offhold.test", now, {"words": "If you can read this, it works."})
    return post(wiring, hook, f"msg_{hook.id}_test_{int(now.timestamp())}", content)[0]


def post(wiring: Wiring, hook: Hook, message_id: str, content: bytes) -> tuple[str | None, bool]:
    """One attempt: (what went wrong, None when it was taken; whether it never will be). No redirect is followed."""
    now = wiring.clock()
    headers = {"Content-Type": "application/json", "User-Agent": "Offhold-Webhooks"}
    headers |= hook_messages.headers(message_id, now, content, _secrets(wiring, hook, now))
    private = wiring.settings.hooks_allow_private == "on"
    if hook.url.startswith("http:") and not private:
        return "the address does not begin with https://", False
    try:
        status = hook_posts.status_of(hook.url, content, headers, within_s=WITHIN_S, allow_private=private)
    except hook_posts.PRIVATE:
        return "the address is in the private network", False
    except hook_posts.UNREACHED as error:
        return _broken(error), False
    return (None, False) if 200 <= status < 300 else (f"it answered {status}", status == GONE)


def _secrets(wiring: Wiring, hook: Hook, now: datetime) -> Sequence[str]:
    sealed = [hook.secret]
    if hook.old_secret is not None and hook.old_until is not None and now < hook.old_until:
        sealed.append(hook.old_secret)
    return [wiring.numbers.open(one) for one in sealed]


def _broken(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not good"
    if isinstance(error, requests.exceptions.Timeout):
        return "it does not answer"
    return "it could not be reached, or broke off"
