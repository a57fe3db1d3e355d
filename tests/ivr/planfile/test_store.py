"""Publishing, loading, going back, comparing, on a real database."""

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection

from ivr.planfile import store
from ivr.planfile.problems import PlanRefused
from models import plans

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def changed(tmp_path: Path, starter: str) -> Path:
    """A menu file that differs from the starter in three places."""
    text = starter.replace("brand: Lumora", "brand: Northwind").replace(
        "reminder_after_s: 120", "reminder_after_s: 150"
    )
    file = tmp_path / "menu.yaml"
    file.write_text(
        text.replace("id: tv-remote\n              queue: technical", "id: tv-remote\n              queue: general")
    )
    return file


def test_a_published_plan_is_live_and_keeps_its_comments(db: Connection) -> None:
    version = store.publish_file(db, store.STARTER, "dana", "first", at=AT)
    plan = store.load_live(db)
    assert (plan.version, plan.brand) == (version, "Lumora")
    assert store.export(db) == store.STARTER.read_text("utf-8")
    assert plans.history(db) == [plans.Published(version, AT, "dana", "first", None, live=True)]


def test_a_broken_file_is_refused_whole_and_what_was_live_stays_live(
    db: Connection, tmp_path: Path, starter: str
) -> None:
    version = store.publish_file(db, store.STARTER, "dana", "first")
    broken = tmp_path / "menu.yaml"
    broken.write_text(starter.replace("default_queue: general", "default_queue: genral").replace("key: 9", "key: 3"))
    told: list[int] = []
    with pytest.raises(PlanRefused) as refused:
        store.publish_file(db, broken, "dana", "oops", announce=told.append)
    assert [one.what for one in refused.value.problems if one.error] == [
        "the invite does not name the key 3",
        "'genral' is no queue",
        "key 3 already belongs to the language 'es'",
    ]
    assert (store.load_live(db).version, len(store.history(db)), told) == (version, 1, [])


def test_a_file_that_is_not_there_is_refused_in_words(db: Connection, tmp_path: Path) -> None:
    with pytest.raises(PlanRefused, match="the file cannot be read: No such file or directory"):
        store.publish_file(db, tmp_path / "none.yaml", "dana", "x")


def test_calls_under_way_finish_on_their_version(db: Connection, changed: Path) -> None:
    old = store.publish_file(db, store.STARTER, "dana", "first")
    new = store.publish_file(db, changed, "dana", "brand")
    assert (store.load(db, old).brand, store.load(db, new).brand, store.load_live(db).brand) == (
        "Lumora", "Northwind", "Northwind")  # fmt: skip


def test_a_rollback_is_a_new_version_with_the_old_text(db: Connection, changed: Path) -> None:
    old = store.publish_file(db, store.STARTER, "dana", "first")
    store.publish_file(db, changed, "dana", "brand")
    told: list[int] = []
    newest = store.rollback(db, old, store.Publisher("lee", announce=told.append), "callers were puzzled")
    assert (store.load_live(db).version, store.load_live(db).brand, told) == (newest, "Lumora", [newest])
    assert [(one.version, one.source_version, one.live) for one in store.history(db)] == [
        (newest, old, True), (newest - 1, None, False), (old, None, False)]  # fmt: skip


def test_a_difference_is_told_in_words(db: Connection, changed: Path) -> None:
    old = store.publish_file(db, store.STARTER, "dana", "first")
    new = store.publish_file(db, changed, "dana", "brand")
    assert store.diff(db, old, new) == [
        "Brand: 'Lumora' became 'Northwind'",
        "Leaf 'tv-remote', queue: 'technical' became 'general'",
        "Offer rule reminder_after_s: '120' became '150'",
    ]
    assert store.diff(db, old, old) == []


def test_a_leaf_added_and_a_leaf_taken_away_are_told(db: Connection, tmp_path: Path, starter: str) -> None:
    old = store.publish_file(db, store.STARTER, "dana", "first")
    file = tmp_path / "menu.yaml"
    file.write_text(starter.replace("id: tv-remote\n", "id: tv-clicker\n"))
    said = store.diff(db, old, store.publish_file(db, file, "dana", "name"))
    assert {"Leaf 'tv-clicker': added", "Leaf 'tv-remote': taken away"} <= set(said)
    assert "Menu 'email-tv', choice 'remote', leads to: 'leaf 'tv-remote'' became 'leaf 'tv-clicker''" in said


@pytest.mark.parametrize("version", [0, 99, -1])
def test_a_version_that_is_none_is_a_lookup_error(db: Connection, version: int) -> None:
    for ask in (
        lambda: store.load(db, version),
        lambda: store.export(db, version),
        lambda: store.rollback(db, version, store.Publisher("x"), "y"),
    ):
        with pytest.raises(LookupError, match="there is no plan"):
            ask()


def test_before_the_first_publication_nothing_is_live(db: Connection) -> None:
    with pytest.raises(LookupError, match="no plan is published yet"):
        store.load_live(db)


def test_an_announcement_that_fails_does_not_undo_the_publication(db: Connection) -> None:
    def deaf(_version: int) -> None:
        raise ConnectionError

    assert store.publish_file(db, store.STARTER, "dana", "first", announce=deaf) == store.load_live(db).version


def test_the_announcement_comes_when_others_can_see_the_version(db: Connection, database_url: str) -> None:
    seen: list[int | None] = []

    def look(_version: int) -> None:
        with psycopg.connect(database_url) as other:
            seen.append(plans.live_version(other))

    assert seen == [store.publish_file(db, store.STARTER, "dana", "first", announce=look)]


def test_a_plan_from_before_a_sentence_existed_speaks_the_starters(db: Connection, starter: str) -> None:
    older = starter.replace("  sending:\n    en: Sending it now.\n    es: Se lo envío ahora.\n", "")
    plan = store.load(db, plans.publish(db, older, "dana", "an earlier release", at=AT))
    assert (plan.wording["en"]["sending"], plan.wording["es"]["sending"]) == ("Sending it now.", "Se lo envío ahora.")


def test_a_plan_that_can_no_longer_be_played_is_not_brought_back(db: Connection) -> None:
    version = plans.publish(db, "brand: Lumora\n", "dana", "by hand")
    with pytest.raises(LookupError, match="cannot be played by this release"):
        store.rollback(db, version, store.Publisher("dana"), "why not")
