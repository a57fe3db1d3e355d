"""The tables of drafts: saves that name where they began, texts put aside, drafts thrown away, versions on trial."""

from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from models import drafts, plans

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)


@pytest.fixture
def draft(db: Connection) -> int:
    return drafts.begin(db, "Summer", "a", None, "dana", AT)


def test_a_save_that_began_from_the_latest_revision_becomes_the_next(db: Connection, draft: int) -> None:
    assert drafts.save(db, draft, 1, "b", "lee", LATER) == 2
    now = drafts.read(db, draft)
    assert now is not None
    assert (now.yaml, now.revision, now.changed_by, now.changed_at) == ("b", 2, "lee", LATER)
    assert (now.made_by, now.made_at, now.base_version) == ("dana", AT, None)


def test_the_second_save_from_one_revision_changes_nothing(db: Connection, draft: int) -> None:
    drafts.save(db, draft, 1, "b", "lee", AT)
    assert drafts.save(db, draft, 1, "c", "dana", LATER) is None
    assert (drafts.text_of(db, draft, 2), drafts.text_of(db, draft, 3)) == ("b", None)


def test_every_text_a_draft_ever_had_is_kept(db: Connection, draft: int) -> None:
    drafts.save(db, draft, 1, "b", "lee", AT)
    drafts.save(db, draft, 2, "c", "dana", LATER)
    assert [(one.revision, one.yaml, one.who) for one in drafts.saves(db, draft)] == [
        (3, "c", "dana"), (2, "b", "lee"), (1, "a", "dana")]  # fmt: skip


def test_a_text_put_aside_waits_until_it_is_merged(db: Connection, draft: int) -> None:
    kept = drafts.put_aside(db, draft, 1, "mine", "dana", AT)
    assert [one.yaml for one in drafts.waiting(db, draft)] == ["mine"]
    found = drafts.aside(db, draft, kept)
    assert found is not None
    assert (found.began_from, found.revision) == (1, None)
    assert drafts.aside(db, draft + 1, kept) is None
    drafts.merged(db, kept)
    assert drafts.waiting(db, draft) == []


def test_a_draft_thrown_away_takes_no_save_and_comes_back(db: Connection, draft: int) -> None:
    assert drafts.close(db, draft, 1, "lee", LATER)
    assert drafts.save(db, draft, 1, "b", "dana", LATER) is None
    assert ([one.id for one in drafts.listed(db)], [one.id for one in drafts.listed(db, closed=True)]) == ([], [draft])
    assert drafts.reopen(db, draft)
    assert [one.id for one in drafts.listed(db)] == [draft]


def test_a_draft_saved_meanwhile_is_not_closed(db: Connection, draft: int) -> None:
    drafts.save(db, draft, 1, "b", "lee", AT)
    assert not drafts.close(db, draft, 1, "dana", LATER)


def test_a_published_draft_does_not_come_back(db: Connection, draft: int) -> None:
    version = plans.publish(db, "a", "dana", "x")
    assert drafts.close(db, draft, 1, "dana", LATER, published=version)
    assert not drafts.reopen(db, draft)
    assert drafts.listed(db) == drafts.listed(db, closed=True) == []


def test_only_drafts_thrown_away_long_ago_are_erased(db: Connection, draft: int) -> None:
    recent, published = (drafts.begin(db, name, "a", None, "dana", AT) for name in ("recent", "published"))
    version = plans.publish(db, "a", "dana", "x")
    drafts.close(db, draft, 1, "lee", AT)
    drafts.close(db, recent, 1, "lee", LATER)
    drafts.close(db, published, 1, "lee", AT, published=version)
    plans.put_on_trial(db, "a", draft, "dana", AT)
    assert drafts.erase_closed(db, LATER) == 1
    assert drafts.read(db, draft) is None
    assert drafts.read(db, recent) is not None
    assert drafts.read(db, published) is not None


def test_a_draft_on_trial_is_never_live_and_in_no_history(db: Connection, draft: int) -> None:
    live = plans.publish(db, "a", "dana", "x")
    trial = plans.put_on_trial(db, "b", draft, "dana", AT)
    assert plans.put_on_trial(db, "b", draft, "lee", LATER) == trial
    assert plans.put_on_trial(db, "c", draft, "lee", LATER) == trial + 1
    assert (plans.live_version(db), plans.yaml(db, trial)) == (live, "b")
    assert [one.version for one in plans.history(db)] == [live]
    assert (plans.is_on_trial(db, trial), plans.is_on_trial(db, live)) == (True, False)
