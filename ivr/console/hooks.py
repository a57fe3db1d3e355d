"""Webhooks out: made, changed, switched off and on, their secrets, and what became of each message."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from psycopg import Connection

from ivr import hook_messages
from ivr.call.facts import FACTS
from ivr.console.actors import Actor
from ivr.console.errors import Missing, Sentence, Wrong, sentence
from ivr.console.switches import wrong_why
from ivr.wiring import Wiring
from models import audit, hooks
from models.hooks import Hook, Tally

LONGEST_URL = 500
MOST = 20
ROTATES_WITHIN = timedelta(hours=24)


@dataclass(frozen=True)
class HookView:
    """One webhook, and how many messages wait, were delivered, were given up."""

    hook: Hook
    tally: Tally

    @property
    def state(self) -> str:
        """off, failing or on."""
        return "off" if self.hook.off_at else "failing" if self.hook.failing_since else "on"


def listed(conn: Connection) -> list[HookView]:
    """All of them, oldest first."""
    tallies = hooks.tallies(conn)
    return [HookView(one, tallies.get(one.id, Tally(0, 0, 0))) for one in hooks.listed(conn)]


def read(conn: Connection, hook_id: int) -> HookView:
    """One of them. Raises Missing."""
    return HookView(_hook(conn, hook_id), hooks.tallies(conn).get(hook_id, Tally(0, 0, 0)))


def _hook(conn: Connection, hook_id: int) -> Hook:
    found = hooks.read(conn, hook_id)
    if found is None:
        raise Missing(f"there is no webhook {hook_id}")
    return found


def make(conn: Connection, wiring: Wiring, by: Actor, *, url: str, names: Sequence[str], why: str) -> tuple[int, str]:
    """A new one: its id, and its secret, which is told this once. Raises Wrong."""
    url, why = url.strip(), why.strip()
    problems = _problems(wiring, url, names, why)
    if len(hooks.listed(conn)) >= MOST:
        problems[""] = sentence("At most %(most)s webhooks: remove one first.", most=MOST)
    if problems:
        raise Wrong(problems)
    secret, now = hook_messages.new_secret(), wiring.clock()
    with conn.transaction():
        made = hooks.add(conn, url, _in_order(names), wiring.numbers.seal(secret), by.name, now)
        _note(conn, wiring, by, "webhook.made", made, after={"url": url, "facts": _in_order(names)}, why=why)
    return made, secret


def change(
    conn: Connection, wiring: Wiring, by: Actor, hook_id: int, *, url: str, names: Sequence[str], why: str
) -> None:
    """Send elsewhere, or other facts. Raises Wrong, Missing."""
    url, why = url.strip(), why.strip()
    if problems := _problems(wiring, url, names, why):
        raise Wrong(problems)
    was = _hook(conn, hook_id)
    before = {"url": was.url, "facts": list(was.names)}
    with conn.transaction():
        hooks.change(conn, hook_id, url, _in_order(names))
        after = {"url": url, "facts": _in_order(names)}
        _note(conn, wiring, by, "webhook.changed", hook_id, before=before, after=after, why=why)


def rotate(conn: Connection, wiring: Wiring, by: Actor, hook_id: int, why: str) -> str:
    """A new secret, told this once; the old one signs as well for a day. Raises Wrong, Missing."""
    why = _why(why)
    _hook(conn, hook_id)
    secret = hook_messages.new_secret()
    with conn.transaction():
        hooks.rotate(conn, hook_id, wiring.numbers.seal(secret), wiring.clock() + ROTATES_WITHIN)
        _note(conn, wiring, by, "webhook.rotated", hook_id, why=why)
    return secret


def switch(conn: Connection, wiring: Wiring, by: Actor, hook_id: int, *, on: bool, why: str) -> None:
    """Off: nothing is sent; on: also what happened meanwhile. Raises Wrong, Missing."""
    why = _why(why)
    _hook(conn, hook_id)
    now = wiring.clock()
    with conn.transaction():
        changed = hooks.switch_on(conn, hook_id, now) if on else hooks.switch_off(conn, hook_id, why, now)
        if changed:
            _note(conn, wiring, by, "webhook.on" if on else "webhook.off", hook_id, why=why)


def remove(conn: Connection, wiring: Wiring, by: Actor, hook_id: int, why: str) -> None:
    """Forget it, and what was still to be sent. Raises Wrong, Missing."""
    why = _why(why)
    was = _hook(conn, hook_id)
    with conn.transaction():
        hooks.remove(conn, hook_id)
        before = {"url": was.url, "facts": list(was.names)}
        _note(conn, wiring, by, "webhook.removed", hook_id, before=before, why=why)


def _why(why: str) -> str:
    if problems := wrong_why(why.strip()):
        raise Wrong(problems)
    return why.strip()


def _in_order(names: Sequence[str]) -> list[str]:
    return [name for name in FACTS if name in names]


def _problems(wiring: Wiring, url: str, names: Sequence[str], why: str) -> dict[str, Sentence | str]:
    problems = wrong_why(why)
    if problem := _wrong_url(url, http=wiring.settings.hooks_allow_private == "on"):
        problems["url"] = problem
    unknown = [name for name in names if name not in FACTS]
    if unknown:
        problems["facts"] = sentence("There is no fact '%(name)s'.", name=unknown[0][:40])
    return problems


def _is_inside(host: str) -> bool:
    """Whether it is the address of nobody on the Internet; where a name leads is looked up whenever it is asked."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost"


def _wrong_url(url: str, *, http: bool) -> Sentence | None:
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and parts.port != 0 and parts.username is None and not parts.fragment
    except ValueError:
        return sentence("This is no web address.")
    if not good or not url.isascii() or not url.isprintable() or " " in url or parts.scheme not in ("http", "https"):
        return sentence("This is no web address: https://, a host and a path, and no name or password in it.")
    if not http and _is_inside(parts.hostname or ""):
        return sentence("This leads to this machine or the private network, where nothing is sent.")
    if parts.scheme == "http" and not http:
        return sentence("Take an address that begins with https://: what is sent is nobody else's business.")
    return sentence("At most %(most)s letters.", most=LONGEST_URL) if len(url) > LONGEST_URL else None


def _note(
    conn: Connection,
    wiring: Wiring,
    by: Actor,
    what: str,
    hook_id: int,
    *,
    before: object = None,
    after: object = None,
    why: str = "",
) -> None:
    audit.note(
        conn, who=by.key, what=what, on=f"webhook {hook_id}", before=before, after=after, why=why, at=wiring.clock()
    )
