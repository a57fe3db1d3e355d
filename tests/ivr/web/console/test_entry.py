"""Getting in: the set-up link, signing in, sessions, and what keeps others out."""

import re
import threading
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from config.settings import Settings
from ivr import board
from ivr.console import passwords
from ivr.console import staff as accounts
from ivr.console.errors import Wrong
from ivr.web.console import throttle
from ivr.wiring import Wiring
from models import audit, sessions, staff
from tests.ivr.web.conftest import Carrier, Clock
from tests.ivr.web.console.conftest import ConsoleClient, SignedIn
from tests.ivr.web.console.people import PASSWORD, fill_in, join, secret_of, set_up, setup_token, sign_in


def test_the_set_up_link_makes_an_administrator_who_is_signed_in(nobody: ConsoleClient, wiring: Wiring) -> None:
    account = set_up(nobody, wiring)
    page = nobody.get("/console/account")
    assert page.status_code == 200
    assert account.email in page.text
    with wiring.pool.connection() as conn:
        (person,) = staff.everyone(conn)
        assert (person.role, person.name) == ("admin", "Maria Ruiz")
        assert person.password_hash is not None
        assert person.password_hash.startswith("$argon2id$")
        assert [entry.what for entry in audit.find(conn)] == ["staff.set_up"]
        row = conn.execute("SELECT staff::text FROM staff").fetchone()
        assert row is not None
        assert PASSWORD not in row[0]
        assert account.secret not in row[0]


def test_the_sign_in_page_says_how_to_begin_until_somebody_has(nobody: ConsoleClient, wiring: Wiring) -> None:
    assert "flask staff setup-link" in nobody.get("/console/sign-in").text
    set_up(nobody, wiring)
    nobody.new_token()
    nobody.post_form("/console/sign-out")
    assert "flask staff setup-link" not in nobody.get("/console/sign-in").text


def test_a_set_up_link_works_once(nobody: ConsoleClient, wiring: Wiring) -> None:
    token = setup_token(wiring)
    assert join(nobody, wiring, token, email="maria@lumora.example").status_code == 200
    assert nobody.get(f"/console/join/{token}").status_code == 404
    nobody.new_token()
    assert nobody.post_form(f"/console/join/{token}", email="eve@lumora.example").status_code == 404


def test_whoever_sets_up_ends_all_other_set_up_links(nobody: ConsoleClient, wiring: Wiring) -> None:
    other = setup_token(wiring)
    set_up(nobody, wiring)
    assert nobody.get(f"/console/join/{other}").status_code == 404


def test_a_set_up_link_ends_after_thirty_minutes(nobody: ConsoleClient, wiring: Wiring, clock: Clock) -> None:
    token = setup_token(wiring)
    clock.on(30 * 60 - 1)
    assert nobody.get(f"/console/join/{token}").status_code == 200
    clock.on(1)
    assert nobody.get(f"/console/join/{token}").status_code == 404


def test_two_who_use_a_link_at_once_make_one_account(nobody: ConsoleClient, app: Flask, wiring: Wiring) -> None:
    token = setup_token(wiring)
    secret = secret_of(nobody.get(f"/console/join/{token}").text)

    def one(number: int) -> int:
        client = ConsoleClient(app, app.response_class, use_cookies=True)
        client._cookies = dict(nobody._cookies or {})
        client.csrf_token = nobody.csrf_token
        return fill_in(client, wiring, token, secret, email=f"m{number}@lumora.example").status_code

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(one, range(4))) == [200, 404, 404, 404]
    with wiring.pool.connection() as conn:
        assert len(staff.everyone(conn)) == 1


def test_opening_a_link_uses_nothing_up(nobody: ConsoleClient, wiring: Wiring) -> None:
    token = setup_token(wiring)
    first, second = nobody.get(f"/console/join/{token}").text, nobody.get(f"/console/join/{token}").text
    assert secret_of(first) == secret_of(second)


def test_a_form_that_is_wrong_keeps_what_was_typed_and_says_all_at_once(nobody: ConsoleClient, wiring: Wiring) -> None:
    token = setup_token(wiring)
    answer = nobody.post_form(
        f"/console/join/{token}", email="maria at lumora", name="<b>M</b>", password="short", code="000"
    )
    assert answer.status_code == 422
    for words in ("An e-mail address, such as", "At least 12 letters, please", "not the code of the authenticator"):
        assert words in answer.text
    assert 'value="maria at lumora"' in answer.text
    assert 'value="&lt;b&gt;M&lt;/b&gt;"' in answer.text
    assert "short" not in answer.text
    assert join(nobody, wiring, token, email="maria@lumora.example").status_code == 200


def test_signing_in_takes_address_password_and_code(nobody: ConsoleClient, wiring: Wiring, clock: Clock) -> None:
    account = set_up(nobody, wiring)
    nobody.new_token()
    nobody.post_form("/console/sign-out")
    assert nobody.get("/console/account").status_code == 303
    nobody.new_token()
    clock.on(30)
    wrong = [
        sign_in(nobody, account.email, account.code(wiring), password="another password 1"),
        sign_in(nobody, account.email, "123456"),
        sign_in(nobody, "nobody@lumora.example", account.code(wiring)),
    ]
    assert {answer.status_code for answer in wrong} == {422}
    assert len({re.sub(r'value="[^"]*"', "", answer.text) for answer in wrong}) == 1  # it never says which was wrong
    right = sign_in(nobody, "Maria@Lumora.example ", account.code(wiring), next="/account?tab=1")
    assert (right.status_code, right.headers["Location"]) == (303, "/console/account?tab=1")
    assert nobody.get("/console/account").status_code == 200


def test_a_code_is_taken_once(nobody: ConsoleClient, wiring: Wiring, clock: Clock) -> None:
    account = set_up(nobody, wiring)
    clock.on(30)
    code = account.code(wiring)

    def one(_: int) -> bool:
        try:
            accounts.sign_in(wiring, account.email, PASSWORD, code)
        except Wrong:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(one, range(4))) == [False, False, False, True]


def test_the_code_of_the_set_up_page_signs_nobody_in(nobody: ConsoleClient, wiring: Wiring) -> None:
    account = set_up(nobody, wiring)
    with pytest.raises(Wrong):
        accounts.sign_in(wiring, account.email, PASSWORD, account.code(wiring))


def test_a_recovery_code_lets_in_once_and_is_noted(nobody: ConsoleClient, wiring: Wiring) -> None:
    account = set_up(nobody, wiring)
    typed = account.recovery_codes[3].upper().replace("-", " ")
    assert accounts.sign_in(wiring, account.email, PASSWORD, typed).email == account.email
    with pytest.raises(Wrong):
        accounts.sign_in(wiring, account.email, PASSWORD, typed)
    with wiring.pool.connection() as conn:
        assert audit.find(conn, limit=1)[0].after == {"left": 9}


def test_tries_are_limited_for_an_account_from_an_address_and_for_nobody_else(
    nobody: ConsoleClient, wiring: Wiring, clock: Clock
) -> None:
    account = set_up(nobody, wiring)
    nobody.new_token()
    nobody.post_form("/console/sign-out")
    nobody.new_token()
    clock.on(30)
    tried = [sign_in(nobody, account.email, "000000", password="wrong").status_code for _ in range(50)]
    assert tried == [422] * 5 + [429] * 45
    right = {"email": account.email, "password": PASSWORD, "code": account.code(wiring)}
    assert nobody.post_form("/console/sign-in", **right).status_code == 429
    assert sign_in(nobody, "other@lumora.example", "000000").status_code == 422
    elsewhere = {"csrf_token": nobody.csrf_token, **right}
    answer = nobody.post("/console/sign-in", data=elsewhere, environ_base={"REMOTE_ADDR": "198.51.100.7"})
    assert answer.status_code == 303


def test_tries_are_limited_without_redis_too(nobody: ConsoleClient, console: Flask, wiring: Wiring) -> None:
    wiring.redis = board.connect("redis://127.0.0.1:1/0")
    throttle.install(console, wiring)
    tried = [sign_in(nobody, "maria@lumora.example", "000000").status_code for _ in range(7)]
    assert tried == [422] * 5 + [429] * 2


def test_one_address_may_try_a_hundred_times_in_all(nobody: ConsoleClient, console: Flask) -> None:
    with console.test_request_context(environ_base={"REMOTE_ADDR": "198.51.100.9"}):
        counted = [throttle.throttle().may_try(f"m{n}@lumora.example") for n in range(101)]
    assert counted == [True] * 100 + [False]


def test_a_flood_of_tries_takes_few_of_the_threads_and_no_connection(
    nobody: ConsoleClient, wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    lent: list[int] = []

    def slow(kept: str | None, password: str) -> bool:
        lent.append(wiring.pool.get_stats()["pool_size"] - wiring.pool.get_stats()["pool_available"])
        return False

    monkeypatch.setattr(passwords, "fits", slow)
    assert sign_in(nobody, "maria@lumora.example", "000000").status_code == 422
    assert lent == [0]
    monkeypatch.undo()
    monkeypatch.setattr(passwords, "_AT_THE_DOOR", threading.BoundedSemaphore(1))
    with passwords._Turn():
        assert sign_in(nobody, "maria@lumora.example", "000000").status_code == 429


# ---- sessions


def test_a_session_ends_when_it_is_not_used(signed_in: SignedIn, clock: Clock) -> None:
    client = signed_in("viewer")
    for _ in range(4):
        clock.on(29 * 60)
        assert client.get("/console/account").status_code == 200
    clock.on(30 * 60)
    assert client.get("/console/account").status_code == 303


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(signed_in: SignedIn, clock: Clock) -> None:
    client = signed_in("viewer")
    for _ in range(12 * 3 - 1):
        clock.on(20 * 60)
        assert client.get("/console/account").status_code == 200
    clock.on(20 * 60)
    assert client.get("/console/account").status_code == 303


def test_the_cookie_of_a_session_that_was_left_opens_nothing(signed_in: SignedIn, wiring: Wiring) -> None:
    client = signed_in("viewer")
    stolen = client.get_cookie("offhold")
    assert stolen is not None
    client.post_form("/console/sign-out")
    client.set_cookie("offhold", stolen.value, path="/")
    assert client.get("/console/account").status_code == 303


def test_signing_in_gives_another_session_than_the_browser_came_with(
    nobody: ConsoleClient, wiring: Wiring, clock: Clock
) -> None:
    account = set_up(nobody, wiring)
    before = nobody.get_cookie("offhold")
    clock.on(30)
    nobody.new_token()
    assert sign_in(nobody, account.email, account.code(wiring)).status_code == 303
    after = nobody.get_cookie("offhold")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    nobody.set_cookie("offhold", before.value, path="/")
    assert nobody.get("/console/account").status_code == 303  # what was fixed before is worth nothing


def test_the_database_holds_no_session_that_could_be_used(signed_in: SignedIn, wiring: Wiring) -> None:
    client = signed_in("viewer")
    cookie = client.get_cookie("offhold")
    assert cookie is not None
    with wiring.pool.connection() as conn:
        row = conn.execute(
            "SELECT encode(id_hash, 'escape') || encode(id_hash, 'base64') FROM staff_sessions"
        ).fetchone()
    assert row is not None
    assert row[0] not in cookie.value


def test_a_person_who_is_switched_off_is_signed_out_at_once(signed_in: SignedIn, wiring: Wiring) -> None:
    client = signed_in("editor")
    with wiring.pool.connection() as conn:
        assert client.staff_id is not None
        staff.set_active(conn, client.staff_id, False)
    assert client.get("/console/account").status_code == 303


def test_cookies_are_bound_to_the_host_where_there_is_tls(settings: Settings, console: Flask) -> None:
    from ivr.web.console.sessions import install

    install(console, secret="s" * 40, https=True)
    names = ("NAME", "PATH", "DOMAIN", "SECURE", "HTTPONLY", "SAMESITE")
    held = {name: console.config[f"SESSION_COOKIE_{name}"] for name in names}
    assert held == {
        "NAME": "__Host-offhold", "PATH": "/", "DOMAIN": None, "SECURE": True, "HTTPONLY": True, "SAMESITE": "Lax",
    }  # fmt: skip


def test_the_cookie_is_for_the_server_alone(app: Flask) -> None:
    answer = app.test_client().get("/console/sign-in")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


# ---- around them


def test_no_webhook_meets_anything_of_the_console(
    carrier: Carrier, console: Flask, logged: list[MutableMapping[str, Any]]
) -> None:
    met: list[str] = []
    console.before_request_funcs[None].insert(0, lambda: met.append("before"))
    answer = carrier.call("/voice/incoming", CallStatus="ringing", Direction="inbound")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "Content-Security-Policy" not in answer.headers
    assert met == []
    carrier.client.get("/console/sign-in")
    assert met == ["before"]


def test_every_page_is_hardened(nobody: ConsoleClient) -> None:
    headers = nobody.get("/console/sign-in").headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_signing_in_leads_to_no_other_site(nobody: ConsoleClient, wiring: Wiring, clock: Clock) -> None:
    account = set_up(nobody, wiring)
    for wanted in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\nevil"):
        clock.on(30)
        nobody.new_token()
        there = sign_in(nobody, account.email, account.code(wiring), next=wanted).headers["Location"]
        assert there == "/console/", wanted


def test_what_was_typed_when_the_session_ended_is_shown_to_be_copied(signed_in: SignedIn, clock: Clock) -> None:
    client = signed_in("viewer")
    clock.on(31 * 60)
    answer = client.post_form("/console/account", name="Half <i>an hour</i> of work", password="hidden words")
    assert answer.status_code == 401
    assert "Half &lt;i&gt;an hour&lt;/i&gt; of work" in answer.text
    assert "hidden words" not in answer.text


def test_the_pages_speak_spanish(nobody: ConsoleClient) -> None:
    assert '<html lang="es">' in nobody.get("/console/sign-in", headers={"Accept-Language": "es-MX,es;q=0.9"}).text
    assert nobody.post_form("/console/language", language="es", next="/sign-in?").status_code == 303
    assert "Correo electrónico" in nobody.get("/console/sign-in").text
    assert nobody.post_form("/console/language", language="xx").status_code == 400


def test_a_form_with_a_zero_byte_is_read_without_it(nobody: ConsoleClient) -> None:
    assert sign_in(nobody, "ma\0ria@lumora.example", "1\0").status_code == 422


def test_a_body_that_is_too_big_is_refused(nobody: ConsoleClient) -> None:
    big = {"csrf_token": nobody.csrf_token, "name": "x" * (3 * 1024 * 1024)}
    assert nobody.post("/console/sign-in", data=big).status_code == 413
    assert nobody.post("/console/sign-in", data=b"x" * (50 * 1024 * 1024)).status_code == 413


def test_sessions_that_are_over_are_cleared_away(signed_in: SignedIn, wiring: Wiring, clock: Clock) -> None:
    signed_in("viewer")
    clock.on(31 * 60)
    signed_in("viewer")
    with wiring.pool.connection() as conn:
        row = conn.execute("SELECT count(*) FROM staff_sessions").fetchone()
    assert row == (1,)
    assert sessions.IDLE.total_seconds() == 1800
