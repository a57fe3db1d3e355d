"""Which threads become articles, whose names they bear, and what two syncs, or a killed one, make of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import Connection

from ivr.syncing import Synced, settle
from models import articles, sources, texts, threads
from search.sources.source import SourceError
from tests.ivr.syncing.conftest import ALL, NOW, WORDS, Desk
from tests.search.sources.standins import Forum


def test_only_approved_threads_and_only_as_they_were_approved(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url, trust="approved")
    assert desk.sync().articles == 0
    assert desk.left_out() == {"not approved": 4}
    with desk.wiring.pool.connection() as conn:
        assert threads.approve(conn, "town:1") == "town"
        assert threads.approve(conn, "town:99") is None
        settle(conn, desk.row(), NOW, Synced())
    assert desk.live() == ["town:1"]
    forum.reply(1, "I would do it the other way round.")
    desk.sync(believe=True)
    assert (desk.live(), desk.left_out()) == ([], {"not approved": 4})


@pytest.mark.parametrize(("trust", "expected"), [("accepted", ALL[1:]), ("solved", ALL[1:])])
def test_an_unsolved_thread_is_no_article(desk: Desk, forum: Forum, trust: str, expected: list[str]) -> None:
    forum.topics[1]["accepted"] = None
    desk.add("discourse", forum.url, trust=trust)
    desk.sync()
    assert desk.live() == expected


def test_threads_grow_too_old_though_nothing_changes(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url, max_age_days=30)
    desk.sync()
    assert desk.live() == ALL
    desk.now[0] = datetime(2026, 12, 1, 12, tzinfo=UTC)
    desk.sync()
    assert (desk.live(), desk.left_out()) == (ALL[1:], {"too old": 1})


def test_what_a_manager_withdrew_stays_withdrawn(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    with desk.wiring.pool.connection() as conn:
        assert articles.withdraw(conn, ["town:1"]) == ["town:1"]
    forum.reply(1, "Thanks, that helped me too.")
    desk.now[0] += timedelta(hours=25)
    desk.sync()
    assert desk.live() == ALL[1:]


def test_a_lapsed_article_can_be_neither_offered_nor_texted(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.topics[1]["closed"] = True
    desk.now[0] += timedelta(hours=25)
    desk.sync()
    with desk.wiring.pool.connection() as conn:
        assert articles.state(conn, "town:1") == "withdrawn"
        assert articles.card(conn, "town:1") is None
        seen = texts.asked(
            conn, call_sid="CA1", article_id="town:1", to_key="k", prefix_key="p", now=desk.wiring.clock()
        )
        assert seen.article == "withdrawn"


def test_an_author_who_opted_out_is_not_named(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url, name_authors=True)
    with desk.wiring.pool.connection() as conn:
        articles.unname(conn, "member2")
    desk.sync()
    found = desk.article("town:1")
    assert (found.author, found.answers[0].author) == ("member1", None)


def test_two_processes_do_not_sync_one_source(desk: Desk, forum: Forum, db: Connection) -> None:
    desk.add("discourse", forum.url)
    with sources.alone(db, "town") as free:
        assert free
        with pytest.raises(SourceError, match="another process is syncing it"):
            desk.sync()
    assert desk.sync().articles == 4


def test_a_sync_killed_before_it_settles_is_settled_by_the_next_one(
    desk: Desk, forum: Forum, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.reply(1, "This does not work any more since the last update.", "someone")

    def killed(*_: object, **more: object) -> None:
        raise SystemExit  # nothing of ours runs after a kill: no problem is noted

    with monkeypatch.context() as patched:
        patched.setattr("ivr.syncing.settle", killed)
        with pytest.raises(SystemExit):
            desk.sync()
    assert (desk.live(), desk.row().problem, desk.row().unsettled) == (ALL, None, True)
    assert (desk.sync().pulled, desk.live(), desk.row().unsettled) == (0, ALL[1:], False)
    with monkeypatch.context() as patched:
        patched.setattr("ivr.syncing.settle", killed)
        assert desk.sync().articles == 3  # nothing changed: nothing to settle


def test_all_is_read_again_when_asked(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    assert desk.sync(anew=True).pulled == 4


def test_an_article_that_cannot_be_read_stays_though_all_is_read_again(desk: Desk, tmp_path: Path) -> None:
    for name in WORDS:
        (tmp_path / f"{name}.md").write_text(f"---\ntitle: My {name}\n---\nReset the {name}.", "utf-8")
    desk.add("markdown", str(tmp_path))
    desk.sync()
    (tmp_path / "light.md").write_text("broken", "utf-8")
    assert (desk.sync(anew=True).lapsed, len(desk.live())) == (0, 4)
    (tmp_path / "remote.md").unlink()
    assert desk.sync().lapsed == 0  # nobody can tell what is gone
    (tmp_path / "light.md").unlink()
    assert desk.sync(believe=True).lapsed == 2


def test_an_unexpected_error_is_told_and_costs_nothing(
    desk: Desk, forum: Forum, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.add("discourse", forum.url)
    desk.sync()

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("search.sources.discourse._accepted", fails)
        with pytest.raises(ZeroDivisionError):
            desk.sync(anew=True)
    assert desk.row().problem == "failed unexpectedly (ZeroDivisionError)"
    assert desk.live() == ALL
