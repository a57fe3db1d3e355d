"""Accounts looked after, API tokens, the audit log."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from ivr.console import audited, changes, passwords, tokens
from ivr.console.changes import Field
from ivr.console.roles import Staff
from ivr.wiring import Wiring
from models import audit, staff
from tests.ivr.web.conftest import Clock
from tests.ivr.web.console.conftest import ConsoleClient, SignedIn
from tests.ivr.web.console.people import join

XSS = '"><script>alert(1)</script>'


def notes(wiring: Wiring) -> list[tuple[str, str]]:
    with wiring.pool.connection() as conn:
        return [(entry.what, entry.why) for entry in reversed(audit.find(conn))]


def link_of(page: str) -> str:
    found = re.search(r"/console/join/([\w-]+)", page)
    assert found, page
    return found[1]


def test_an_invited_person_joins_by_the_link_and_has_the_role(
    signed_in: SignedIn, nobody: ConsoleClient, wiring: Wiring
) -> None:
    admin = signed_in("admin")
    page = admin.post_form("/console/staff", email="Lu@Lumora.example", name="Lu Xun", role="editor")
    assert page.status_code == 200
    assert "invited, has not joined yet" in admin.get("/console/staff").text
    done = join(nobody, wiring, link_of(page.text), name="Lu Xun")
    assert done.status_code == 200
    with wiring.pool.connection() as conn:
        person = staff.by_email(conn, "lu@lumora.example")
    assert person is not None
    assert (person.role, person.joined) == ("editor", True)
    assert [what for what, _ in notes(wiring)] == ["staff.invited", "staff.joined"]


def test_an_invitation_that_is_wrong_is_told_and_made_by_nobody(signed_in: SignedIn, wiring: Wiring) -> None:
    admin = signed_in("admin")
    answer = admin.post_form("/console/staff", email="lu", name=XSS + "x" * 80, role="king")
    assert answer.status_code == 422
    for words in ("An e-mail address, such as", "At most 80 letters", "Choose a role."):
        assert words in answer.text
    assert XSS not in answer.text
    again = admin.post_form("/console/staff", email="admin1@lumora.example", name="Lu", role="viewer")
    assert "There is an account with this address already." in again.text
    assert notes(wiring) == []


def test_another_role_signs_out_and_is_noted_with_its_reason(signed_in: SignedIn, wiring: Wiring) -> None:
    admin, person = signed_in("admin"), signed_in("viewer")
    address = f"/console/staff/{person.staff_id}/role"
    assert admin.post_form(address, role="editor", why="").status_code == 422
    assert person.get("/console/account").status_code == 200
    assert admin.post_form(address, role="editor", why="Lu left").status_code == 303
    assert person.get("/console/account").status_code == 303
    with wiring.pool.connection() as conn:
        (entry,) = audit.find(conn, what="staff")
    assert (entry.before, entry.after, entry.why) == ({"role": "viewer"}, {"role": "editor"}, "Lu left")
    assert entry.name == "Admin 1"


def test_the_last_administrator_stays_one(signed_in: SignedIn, wiring: Wiring) -> None:
    admin = signed_in("admin")
    here = f"/console/staff/{admin.staff_id}"
    for path, fields in (("/role", {"role": "viewer"}), ("/switch", {"active": "off"}), ("/reset", {})):
        answer = admin.post_form(here + path, why="tired", **fields)
        assert answer.status_code == 422
        assert "the last administrator" in answer.text
    signed_in("admin")
    assert admin.post_form(here + "/role", role="viewer", why="tired").status_code == 303


def test_of_two_administrators_who_leave_at_once_one_stays(signed_in: SignedIn, wiring: Wiring) -> None:
    both = [signed_in("admin"), signed_in("admin")]

    def leave(client: ConsoleClient) -> int:
        path = f"/console/staff/{client.staff_id}/role"
        return client.post_form(path, role="viewer", why="tired").status_code

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(leave, both)) == [303, 422]


def test_starting_anew_ends_the_password_and_the_sessions(
    signed_in: SignedIn, nobody: ConsoleClient, wiring: Wiring
) -> None:
    admin, person = signed_in("admin"), signed_in("finance")
    page = admin.post_form(f"/console/staff/{person.staff_id}/reset", why="lost the phone")
    assert person.get("/console/account").status_code == 303
    with wiring.pool.connection() as conn:
        assert person.staff_id is not None
        row = staff.read(conn, person.staff_id)
    assert row is not None
    assert row.password_hash is None
    assert join(nobody, wiring, link_of(page.text)).status_code == 200
    assert notes(wiring)[0] == ("staff.reset", "lost the phone")


def test_a_person_who_is_switched_off_cannot_use_a_link(
    signed_in: SignedIn, nobody: ConsoleClient, wiring: Wiring
) -> None:
    admin = signed_in("admin")
    page = admin.post_form("/console/staff", email="lu@lumora.example", name="Lu", role="editor")
    with wiring.pool.connection() as conn:
        person = staff.by_email(conn, "lu@lumora.example")
    assert person is not None
    admin.post_form(f"/console/staff/{person.id}/switch", active="off", why="does not come")
    assert nobody.get(f"/console/join/{link_of(page.text)}").status_code == 404
    assert admin.post_form(f"/console/staff/{person.id}/switch", active="on", why="comes").status_code == 303


def test_nobody_is_changed_who_is_not_there(signed_in: SignedIn) -> None:
    admin = signed_in("admin")
    for number in ("999999", "9" * 30):
        assert admin.post_form(f"/console/staff/{number}/role", role="viewer", why="x").status_code == 404


@pytest.mark.parametrize(
    "password",
    ["password1234", "P@ssw0rd!2026", "qwertyuiop12", "111111111111", "aaaaabbbbbcc", "Welcome2026!!", "abcdefghijkl",
     "iloveyou1234", "1q2w3e4r5t6y", "Summer2026!!!", "admin1234567", "letmeinletmein", "offhold-2026!",
     "mariaruiz1980", "lumora123456", "passwordpassword", "monkeydragon1"],
)  # fmt: skip
def test_what_anyone_would_try_first_is_no_password(password: str) -> None:
    assert passwords.problem(password, "Maria Ruiz", "maria@lumora.example") is not None


@pytest.mark.parametrize(
    "password", ["lentil harbour 41 xylem", "Tq8#vLw2-pRz9", "mi gato come sopa fría", "ключ от старого сарая"]
)
def test_four_words_or_a_dozen_odd_letters_are_a_password(password: str) -> None:
    assert passwords.problem(password, "Maria Ruiz", "maria@lumora.example") is None


# ---- tokens


def test_a_token_is_shown_once_and_kept_as_a_hash(signed_in: SignedIn, wiring: Wiring) -> None:
    admin = signed_in("admin")
    page = admin.post_form("/console/tokens", name="Wallboard", scopes=["read", "calls"], why="the wall")
    found = re.search(r"offhold_[\w-]{43}", page.text)
    assert found
    listed = admin.get("/console/tokens").text
    assert found[0] not in listed
    assert found[0][:14] in listed
    with wiring.pool.connection() as conn:
        assert found[0].encode() not in b"".join(row[0] for row in conn.execute("SELECT token_hash FROM api_tokens"))
        caller = tokens.caller(conn, wiring, found[0])
    assert caller is not None
    assert caller.scopes == {"read", "calls"}
    assert notes(wiring) == [("token.made", "the wall")]
    assert "Nov" in admin.get("/console/tokens").text or "11/23/26" in admin.get("/console/tokens").text


def test_a_token_that_is_revoked_opens_nothing(signed_in: SignedIn, wiring: Wiring) -> None:
    admin = signed_in("admin")
    with wiring.pool.connection() as conn:
        assert admin.staff_id is not None
        by = Staff(admin.staff_id, "Admin 1", "admin", "en")
        token = tokens.make(conn, wiring, by, name="Wallboard", scopes=["read"], why="")
        (row,) = tokens.everything(conn)
    assert admin.post_form(f"/console/tokens/{row.id}/revoke", why="").status_code == 422
    assert admin.post_form(f"/console/tokens/{row.id}/revoke", why="the wall is gone").status_code == 303
    with wiring.pool.connection() as conn:
        assert tokens.caller(conn, wiring, token) is None
    assert "revoked" in admin.get("/console/tokens").text


def test_a_token_says_what_it_is_for(signed_in: SignedIn) -> None:
    admin = signed_in("admin")
    answer = admin.post_form("/console/tokens", name="", scopes=["everything"])
    assert answer.status_code == 422
    assert "What is it for? At most 60 letters." in answer.text
    assert "Choose at least one thing it may do." in answer.text


# ---- the audit log


def note(conn: psycopg.Connection, clock: Clock, number: int, **more: object) -> None:
    with conn.transaction():
        audit.note(conn, who="cli:maria", what="menu.publish", on=f"plan {number}", at=clock(), **more)  # type: ignore[arg-type]


def test_the_log_is_only_ever_added_to(db: psycopg.Connection, clock: Clock) -> None:
    note(db, clock, 1)
    for statement in ("UPDATE audit SET why = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            db.execute(statement)


def test_the_chain_tells_what_was_changed_behind_its_back(db: psycopg.Connection, clock: Clock) -> None:
    for number in range(1, 6):
        note(db, clock, number, before={"n": 1.0, "ñ": None}, after=[1e100, "\0", "é"], why="because")
        clock.on(0.000001)
    whole = audit.verify(db)
    assert (whole.lines, whole.broken_at) == (5, None)
    db.execute("ALTER TABLE audit DISABLE TRIGGER audit_append_only")
    with db.transaction(force_rollback=True):
        db.execute("UPDATE audit SET why = 'no reason' WHERE id = 3")
        assert audit.verify(db).broken_at == 3
    with db.transaction(force_rollback=True):
        db.execute("DELETE FROM audit WHERE id = 2")
        assert audit.verify(db).broken_at == 2
    with db.transaction(force_rollback=True):
        db.execute("DELETE FROM audit WHERE id = 5")
        assert audit.verify(db).broken_at is None  # only who remembers the head can tell
        assert audit.verify(db, remembered=whole.head).broken_at == 5
    note(db, clock, 6)
    assert audit.verify(db, remembered=whole.head).broken_at is None


def test_changes_at_once_stand_one_after_the_other(database_url: str, db: psycopg.Connection, clock: Clock) -> None:
    def one(number: int) -> None:
        with psycopg.connect(database_url, autocommit=True) as conn:
            note(conn, clock, number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(40)))
    assert audit.verify(db) == audit.Chain(40, audit.verify(db).head, None)


def test_a_change_that_is_rolled_back_leaves_no_note(db: psycopg.Connection, clock: Clock) -> None:
    with db.transaction(force_rollback=True):
        audit.note(db, who=7, what="menu.publish", on="plan 1", at=clock())
    assert audit.find(db) == []
    with pytest.raises(ValueError, match="in the transaction"):
        audit.note(db, who=7, what="menu.publish", on="plan 1", at=clock())


def test_every_kind_of_change_has_its_words() -> None:
    begins = "|".join(audited.GROUPS)
    sources = [one.read_text("utf-8") for one in (Path(__file__).parents[4] / "ivr").rglob("*.py")]
    written = {one for source in sources for one in re.findall(rf'"((?:{begins})\.[a-z_]+)"', source)}
    decisions = {"thread.refuse", "thread.undo"}  # of `thread.{how}`
    others = {one for one in written if one.endswith((".html", ".js", ".jsonl", ".yaml", ".page", ".one"))}
    assert set(audited.KINDS) == (written | decisions) - others
    assert {kind.partition(".")[0] for kind in audited.KINDS} == set(audited.GROUPS)


def test_the_log_speaks_spanish(signed_in: SignedIn, wiring: Wiring) -> None:
    admin, editor = signed_in("admin"), signed_in("editor")
    assert admin.post_form(f"/console/staff/{editor.staff_id}/switch", active="off", why="tired").status_code == 303
    admin.post_form("/console/language", language="es")
    page = " ".join(re.sub(r"<[^>]+>", " ", admin.get("/console/audit").text).split())
    assert f"Desactivó o activó una cuenta · cuenta {editor.staff_id}" in page
    assert "Activa sí no" in page
    assert "staff.switched" in page  # the code that programs know


def test_the_log_shows_what_changed_field_by_field() -> None:
    before, after = {"name": "A", "same": 1, "gone": [1]}, {"name": "B", "same": 1, "new": True}
    assert changes.fields(before, after) == (
        Field("name", "A", "B"),
        Field("gone", "[\n 1\n]", None),
        Field("new", None, "true"),
    )
    assert changes.fields(None, None) == ()
    assert changes.fields("old yaml", "new yaml") == (Field("", "old yaml", "new yaml"),)


def test_the_page_of_the_log_is_filtered_and_paged(signed_in: SignedIn, wiring: Wiring, clock: Clock) -> None:
    with wiring.pool.connection() as conn:
        for number in range(60):
            note(conn, clock, number, why=XSS)
        clock.on(timedelta(days=2).total_seconds())
        admin = signed_in("admin")
        with conn.transaction():
            audit.note(conn, who=admin.staff_id or 0, what="switch.offers", on="all queues", at=clock())
    page = admin.get("/console/audit").text
    assert "all queues" in page
    assert XSS not in page
    assert page.count("<article") == 50
    older = re.search(r'href="(/console/audit\?[^"]*below=\d+[^"]*)"', page)
    assert older
    assert admin.get(older[1].replace("&amp;", "&")).text.count("<article") == 11
    assert admin.get("/console/audit?what=switch").text.count("<article") == 1
    assert admin.get("/console/audit?what=menu.publish&below=5").text.count("<article") == 4
    assert admin.get(f"/console/audit?who=staff:{admin.staff_id}").text.count("<article") == 1
    assert admin.get("/console/audit?since=2026-11-25").text.count("<article") == 1
    assert admin.get("/console/audit?until=2026-11-24&below=3").text.count("<article") == 2
    assert admin.get("/console/audit?until=9999-12-31").status_code == 422
    assert admin.get("/console/audit?since=soon&below=x&who=%00").status_code in (404, 422)


def test_verify_and_set_up_by_the_command_line(app: Flask, wiring: Wiring, clock: Clock, nobody: ConsoleClient) -> None:
    runner = app.test_cli_runner()

    def flask(*words: str) -> str:
        with app.app_context():  # as the `flask` command does
            return runner.invoke(args=list(words)).output

    with wiring.pool.connection() as conn:
        note(conn, clock, 1)
        head = audit.verify(conn).head
    assert flask("audit", "verify") == f"1 lines, all whole. Head: {head}\n"
    assert flask("audit", "verify", "--head", "00").startswith("Error: the log is broken at line 2")
    link = flask("staff", "setup-link").strip()
    assert link.startswith(f"{wiring.settings.public_base_url}/console/join/")
    assert join(nobody, wiring, link.rpartition("/")[2], email="m@lumora.example").status_code == 200
    assert flask("staff", "list") == "1\tadmin\tm@lumora.example\tMaria Ruiz\n"


# ---- one's own account


def test_one_changes_name_language_and_password(signed_in: SignedIn, wiring: Wiring) -> None:
    client = signed_in("viewer")
    other = ConsoleClient(client.application, client.response_wrapper, use_cookies=True)
    assert client.post_form("/console/account", name="Ángela", language="es").status_code == 303
    assert "Mi cuenta" in client.get("/console/account").text
    assert client.post_form("/console/account", name="", language="xx").status_code == 422
    assert other.get("/console/account").status_code == 303
    with wiring.pool.connection() as conn:
        assert client.staff_id is not None
        staff.set_password(conn, client.staff_id, passwords.hashed("the password before this"))
    wrong = client.post_form("/console/account/password", password_now="no", password="lentil harbour 41")
    assert wrong.status_code == 422
    weak = client.post_form("/console/account/password", password_now="the password before this", password="12345678")
    assert weak.status_code == 422
    right = client.post_form(
        "/console/account/password", password_now="the password before this", password="lentil harbour 41"
    )
    assert right.status_code == 303
    fresh = client.post_form("/console/account/recovery-codes", password_now="lentil harbour 41")
    assert len(re.findall(r"<li>[a-z2-9-]{19}</li>", fresh.text)) == 10
    assert [what for what, _ in notes(wiring)] == ["staff.changed", "staff.password", "staff.recovery_codes"]
    with wiring.pool.connection() as conn:
        text = json.dumps([(entry.before, entry.after) for entry in audit.find(conn)])
    assert "lentil" not in text
