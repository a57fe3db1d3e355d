"""The agent's live page: one sentence about the caller on the line. Opened with the site's agent key."""

import hmac

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from ivr.agent_note import agent_key, lately, note
from ivr.carrier.inbound import CALL_SID
from ivr.web import pages
from ivr.web.guards import wiring

agent = Blueprint("agent", __name__)

COOKIE = "offhold_agent"
A_SHIFT_S = 12 * 3600


def _is_key(given: str) -> bool:
    right = agent_key(wiring().settings.session_secret.get_secret_value())
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


@agent.get("/agent")
def page() -> Response:
    """The sentence for `?call=` (the agent's own CallSid), or the calls answered lately.

    The key comes once in the address and moves into a cookie. The account of the test phone needs none.
    """
    given = request.args.get("key", "")
    call = request.args.get("call", "")
    call = call if CALL_SID.fullmatch(call) else ""
    if given and _is_key(given):
        onward = redirect(f"/agent?call={call}" if call else "/agent", 303)
        secure = wiring().settings.public_base_url.startswith("https:")
        onward.set_cookie(
            COOKIE, given, max_age=A_SHIFT_S, secure=secure, httponly=True, samesite="Strict", path="/agent"
        )
        return pages.hardened(onward)
    if not (_is_key(request.cookies.get(COOKIE, "")) or wiring().settings.development_account):
        return pages.page(
            "message.html",
            403,
            title="This page is for agents",
            words="Open it with the link that “flask agent-link” prints. It lasts for twelve hours.",
        )
    return pages.page(
        "agent.html",
        script="agent.js",
        refresh_s=3,
        call=call,
        note=note(wiring(), call) if call else None,
        lately=[] if call else lately(wiring()),
        now=wiring().clock(),
    )
