"""Mapping, Try it and Rehearse: what callers get, what a draft would change, on the starter community's real index."""

import html
import itertools
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from psycopg import Connection

from bench import bulk
from config.settings import load
from ivr import finding
from ivr import wiring as wirings
from ivr.app import create_app
from ivr.call.effects import Search
from ivr.call.joining import search_at
from ivr.call.plan import Leaf, Plan
from ivr.console import callers, mapping, menus, reasons, rehearsal
from ivr.console.actors import Actor
from ivr.console.errors import Wrong
from ivr.jobs import study as studying
from ivr.jobs.erase_old import erase_old
from ivr.jobs.summarize import rebuild
from ivr.planfile import editing
from ivr.studies_cli import work_off
from ivr.wiring import Wiring
from models import audit, drafts, studies
from search.evidence import FEATURES
from search.explained import VERDICTS
from search.result import REFUSALS
from tests.databases import copied
from tests.ivr.web.conftest import Clock
from tests.ivr.web.console.conftest import SignedIn
from tests.scenery import Scenery, environment, finder_of

EDITOR = Actor(1, "Editor")
CALLS = 240
SAID = (
    "the red light is on again",
    "my bill is too high this month",
    "I was charged twice",
    "no signal at home",
    "the remote will not pair with the box",
    "um hello",
)


@pytest.fixture
def wiring(scenery: Scenery, clock: Clock) -> Iterator[Wiring]:
    """The starter company on its real index, with a few hundred calls of the last days."""
    with ExitStack() as parts:
        name = f"studying_{id(parts)}"
        parts.enter_context(copied(scenery.admin_url, scenery.database, name))
        settings = load(environment(scenery.url(name), scenery.redis_url, scenery.folder), dotenv=None)
        built = wirings.build(settings, clock, name="studying", pool_size=4)
        parts.callback(built.close)
        found = finder_of(scenery, "real")
        assert found is not None
        built.finders.swap(found)
        said = itertools.cycle(SAID)
        with built.pool.connection() as conn:
            bulk.fill(conn, CALLS, until=clock(), days=20, seal=lambda _: built.numbers.seal(next(said)))
        rebuild(built)
        yield built


@pytest.fixture
def conn(wiring: Wiring) -> Iterator[Connection]:
    with wiring.pool.connection() as lent:
        yield lent


def words(answer: Any) -> str:
    """What a page says, tags taken out."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).split())


def draft_with(conn: Connection, wiring: Wiring, *changes: menus.Change) -> int:
    draft_id = menus.begin(conn, wiring, EDITOR, "Changed")
    for revision, change in enumerate(changes, 1):
        menus.edit(conn, wiring, EDITOR, draft_id, revision, change)
    return draft_id


def rehearsed(conn: Connection, wiring: Wiring, draft_id: int) -> rehearsal.Rehearsal:
    study_id = rehearsal.ask(conn, wiring, EDITOR, draft_id, 500)
    assert work_off(wiring) == 1
    return rehearsal.look(conn, wiring, draft_id, study_id)


def forbid(leaf: str, article: str) -> menus.Change:
    return lambda text: editing.change_leaf(text, leaf, {"forbidden": [article], "pinned": None})


def one_by_one(conn: Connection, wiring: Wiring, plan: Plan) -> dict[str, str | None]:
    """Call -> what a caller who says the same would be found, each asked as a call asks."""
    found: dict[str, str | None] = {}
    leaves = plan.leaves()
    for one in callers.recorded(conn, wiring, 500):
        end = callers.end_in(plan, leaves, one.call)
        assert end is not None
        search = search_at(end[1], end[0], one.words, one.call.language, plan)
        cards = finding.find(wiring, conn, search).cards if isinstance(search, Search) else ()
        found[one.call.call_sid] = cards[0].id if cards else None
    return found


def test_a_rehearsal_counts_what_each_call_asked_alone_would_be_found(wiring: Wiring, conn: Connection) -> None:
    draft_id = draft_with(
        conn,
        wiring,
        forbid("internet-red-light", "router-light-red"),
        lambda text: editing.change_leaf(text, "billing-high-bill", {"never_offer": "true", "pinned": None}),
        lambda text: editing.change_leaf(text, "mobile-no-signal", {"allowed_tags": None}),
        lambda text: editing.change_leaf(text, "mobile-roaming", {"pinned": {"en": ["sim-puk-locked"]}}),
    )
    draft = drafts.read(conn, draft_id)
    assert draft is not None
    changed = menus.reading(draft.yaml).plan
    assert changed is not None
    before, after = (one_by_one(conn, wiring, plan) for plan in (wiring.plans.live(conn), changed))
    expected = {"other": 0, "new": 0, "gone": 0}
    for call, was in before.items():
        if was != after[call]:
            expected["new" if was is None else "gone" if after[call] is None else "other"] += 1
    assert expected["gone"] > 0
    assert sum(expected.values()) < len(before)
    found = rehearsed(conn, wiring, draft_id)
    figures = found.figures
    assert figures is not None
    counts = figures.counts
    assert {"other": counts.other, "new": counts.new, "gone": counts.gone} == expected
    assert figures.untouched + figures.searched == figures.calls == len(before)
    assert counts.changed + counts.same == figures.searched
    assert 0 < figures.with_words < figures.calls
    leaf_of = {one.call.call_sid: one.call.leaf for one in callers.recorded(conn, wiring, 500)}
    assert {leaf for leaf, one in figures.leaves.items() if one.changed} == {
        leaf_of[call] for call, was in before.items() if was != after[call]
    }
    assert found.examples is not None
    assert sum(one.calls for one in found.examples) <= counts.changed
    assert all(one.before.article != one.after.article for one in found.examples)
    assert found.outdated == ()


def test_a_draft_that_changes_nothing_searches_for_nothing(wiring: Wiring, conn: Connection) -> None:
    draft_id = draft_with(conn, wiring)
    figures = rehearsed(conn, wiring, draft_id).figures
    assert figures is not None
    assert (figures.searched, figures.counts.changed, figures.untouched) == (0, 0, figures.calls)


def test_calls_whose_choice_is_gone_must_choose_anew(wiring: Wiring, conn: Connection) -> None:
    draft_id = draft_with(conn, wiring, lambda text: editing.remove_choice(text, ("mobile",)))
    figures = rehearsed(conn, wiring, draft_id).figures
    assert figures is not None
    live = wiring.plans.live(conn)
    mobile = [one for one in callers.recorded(conn, wiring, 500) if one.call.path[:1] == ("mobile",)]
    assert figures.lost == len(mobile) > 0
    assert figures.lost + figures.untouched == figures.calls
    assert isinstance(live.walk(mobile[0].call.path), Leaf)


def test_a_moved_leaf_keeps_its_callers(wiring: Wiring, conn: Connection) -> None:
    draft_id = draft_with(
        conn, wiring, lambda text: editing.move_to(text, ("mobile", "voicemail"), ("billing",), after="charged-twice")
    )
    draft = drafts.read(conn, draft_id)
    assert draft is not None
    if menus.reading(draft.yaml).plan is None:
        pytest.fail("the draft cannot be played")
    figures = rehearsed(conn, wiring, draft_id).figures
    assert figures is not None
    assert figures.lost == 0
    assert figures.searched > 0  # the same words on another path are another question


def test_words_in_a_rehearsal_are_sealed_and_forgotten_with_the_transcripts(
    wiring: Wiring, conn: Connection, clock: Clock
) -> None:
    draft_id = draft_with(conn, wiring, forbid("internet-red-light", "router-light-red"))
    found = rehearsed(conn, wiring, draft_id)
    rows = conn.execute("SELECT told::text, words FROM studies").fetchall()
    assert all(said.encode() not in told.encode() + bytes(sealed) for told, sealed in rows for said in SAID)
    clock.on(31 * 86400)
    erase_old(wiring)
    later = rehearsal.look(conn, wiring, draft_id, found.study.id)
    assert later.examples is None or not any(one.words for one in later.examples)
    assert later.figures == found.figures


def test_without_transcripts_a_rehearsal_goes_by_paths_and_says_so(wiring: Wiring, conn: Connection) -> None:
    conn.execute("DELETE FROM transcripts")
    figures = rehearsed(
        conn, wiring, draft_with(conn, wiring, forbid("internet-red-light", "router-light-red"))
    ).figures
    assert figures is not None
    assert (figures.with_words, figures.unkept > 0) == (0, True)


def test_a_rehearsal_of_a_draft_changed_since_says_that_it_is_outdated(wiring: Wiring, conn: Connection) -> None:
    draft_id = draft_with(conn, wiring)
    found = rehearsed(conn, wiring, draft_id)
    menus.edit(conn, wiring, EDITOR, draft_id, 1, forbid("internet-red-light", "router-light-red"))
    assert rehearsal.look(conn, wiring, draft_id, found.study.id).outdated == ("draft",)


def test_a_study_whose_worker_died_is_done_once_more_and_then_given_up(
    wiring: Wiring, conn: Connection, clock: Clock
) -> None:
    study_id = mapping.ask(conn, wiring, EDITOR)
    assert mapping.ask(conn, wiring, EDITOR) == study_id
    for state in ("running", "running", "failed"):
        claimed = studies.claim(conn, clock(), clock() - studying.SILENT)
        assert (claimed is None) is (state == "failed")
        assert studies.claim(conn, clock(), clock() - studying.SILENT) is None
        clock.on(200)
    found = studies.read(conn, study_id)
    assert found is not None
    assert found.state == "failed"
    assert not studies.is_waiting(conn, clock())


def test_the_worker_begins_a_process_only_when_something_was_asked_for(wiring: Wiring, conn: Connection) -> None:
    worker = studying.Studying(command=("true",))
    assert not worker.study(wiring)
    studying.ask_for_mapping(wiring)
    studying.ask_for_mapping(wiring)
    assert conn.execute("SELECT count(*) FROM studies").fetchone() == (1,)
    assert worker.study(wiring)
    assert worker._running is not None
    assert worker._running.wait() == 0
    conn.execute("DELETE FROM studies")
    assert not worker.study(wiring)


def test_a_mapping_tells_what_path_and_commonest_words_find(wiring: Wiring, conn: Connection) -> None:
    mapping.ask(conn, wiring, EDITOR)
    assert work_off(wiring) == 1
    found = mapping.look(conn, wiring, "en")
    assert [one.nothing for one in found.leaves] == sorted((one.nothing for one in found.leaves), reverse=True)
    assert not found.outdated
    red = mapping.leaf_view(found, "internet-red-light")
    assert {one.language: one.article for one in red.by_path} == {"en": "router-light-red", "es": "es-luz-roja-router"}
    assert red.by_path[0].candidates[0].verdict == "pinned"
    asked = [one for view in found.leaves for one in view.questions if one.words]
    assert asked
    assert {one.words for one in asked} <= set(SAID)
    assert all(len([one for one in view.questions if one.words]) <= 2 * mapping.MOST_SENTENCES for view in found.leaves)
    assert all(one.calls > 0 for one in asked)
    chosen = [one for one in asked if one.article and one.candidates[0].verdict == "chosen"]
    assert chosen
    assert all(one.gate is not None and one.candidates[0].chance >= one.gate - 1e-3 for one in chosen)


def test_changing_a_leaf_edits_the_draft_and_not_what_is_live(wiring: Wiring, conn: Connection) -> None:
    def change(how: str, article: str = "", tags: tuple[str, ...] = ()) -> Leaf:
        wanted = mapping.Change("internet-not-online", how, article, tags)
        mapping.change(conn, wiring, EDITOR, draft_id, None, wanted)
        draft = drafts.read(conn, draft_id)
        assert draft is not None
        plan = menus.reading(draft.yaml).plan
        assert plan is not None
        return plan.leaves()["internet-not-online"][1]

    live = wiring.plans.live(conn).version
    draft_id, _ = mapping.change(
        conn, wiring, EDITOR, None, None, mapping.Change("internet-not-online", "pin", "router-not-online")
    )
    assert change("pin", "outage-only-my-flat").pinned["en"] == ("outage-only-my-flat", "router-not-online")
    forbidden = change("forbid", "router-not-online")
    assert forbidden.forbidden == {"router-not-online"}
    assert forbidden.pinned == {"es": ("es-router-sin-conexion",), "en": ("outage-only-my-flat",)}
    assert change("allow", "router-not-online").forbidden == frozenset()
    assert change("unpin", "outage-only-my-flat").pinned == {"es": ("es-router-sin-conexion",)}
    assert change("tags", tags=("wifi",)).allowed_tags == {"wifi"}
    assert change("tags").allowed_tags == frozenset()
    assert change("never").never_offer
    with pytest.raises(Wrong, match="Nothing is ever offered here"):
        change("pin", "router-not-online")
    assert not change("ever").never_offer
    with pytest.raises(Wrong, match="no such article"):
        change("pin", "no-such-article")
    assert wiring.plans.live(conn).version == live
    assert {one.what for one in audit.find(conn, limit=20)} == {"draft.begin", "draft.save"}


def test_every_piece_of_evidence_refusal_and_verdict_has_words() -> None:
    assert set(reasons.EVIDENCE) == set(FEATURES)
    assert set(reasons.REFUSALS) == set(REFUSALS)
    assert set(reasons.VERDICTS) == set(VERDICTS)


# ---- the pages


def test_what_nobody_worked_out_yet_is_told_and_asked_for(wiring: Wiring, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    assert "It was never worked out yet." in words(editor.get("/console/mapping"))
    assert editor.post_form("/console/mapping/compute").status_code == 303
    assert "It is being worked out anew: 0 of 0." in words(editor.get("/console/mapping"))
    work_off(wiring)
    page = words(editor.get("/console/mapping"))
    assert "Worked out" in page
    assert "Router light stays red after the power cut by a pin" in page
    first = re.search(r'href="/console/mapping/([^"]+)"', editor.get("/console/mapping").text)
    assert first
    with wiring.pool.connection() as conn:
        assert first[1] == mapping.look(conn, wiring, "en").leaves[0].leaf.id


def test_a_leaf_is_changed_from_its_page_into_a_draft(wiring: Wiring, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    with wiring.pool.connection() as conn:
        mapping.ask(conn, wiring, EDITOR)
    work_off(wiring)
    page = words(editor.get("/console/mapping/internet-not-online"))
    assert "The choice itself, nothing said" in page
    assert "needed" in page
    answer = editor.post_form("/console/mapping/internet-not-online", how="forbid", article="router-not-online")
    assert answer.status_code == 303
    there = editor.get(answer.headers["Location"])
    assert "It is in the draft." in words(there)
    assert "Allow again" in words(there)
    wrong = editor.post_form("/console/mapping/internet-not-online", how="pin", article="<b>none</b>", draft="1")
    assert wrong.status_code == 422
    assert "There is no such article." in words(wrong)
    assert 'value="&lt;b&gt;none&lt;/b&gt;"' in wrong.text
    assert editor.get("/console/mapping/no-such-leaf").status_code == 404
    assert editor.get("/console/mapping/internet-not-online?draft=x").status_code == 404


def test_try_it_lays_the_search_open(wiring: Wiring, signed_in: SignedIn) -> None:
    viewer = signed_in("viewer")
    assert "What the caller says" in words(viewer.get("/console/try"))
    said = words(
        viewer.post_form("/console/try", words="the red light stays on", leaf="internet-not-online", language="en")
    )
    assert "the red light stays on" in said
    assert "needed" in said
    assert "Means the same as the question asked there" in said
    pinned = words(viewer.post_form("/console/try", words="", leaf="internet-red-light", language="en"))
    assert "Pinned here: offered without a search" in pinned
    barred = words(viewer.post_form("/console/try", words="my mother died", leaf="internet-not-online", language="en"))
    assert "Nothing is ever offered here, or to who says such words." in barred
    hostile = viewer.post_form("/console/try", words="<script>alert(1)</script>", leaf="nowhere", language="xx")
    assert hostile.status_code == 422
    assert "<script>alert(1)" not in hostile.text
    assert "There is no such leaf in this menu." in words(hostile)


def test_try_it_on_a_draft_obeys_what_the_draft_forbids(wiring: Wiring, signed_in: SignedIn) -> None:
    viewer = signed_in("viewer")
    with wiring.pool.connection() as conn:
        draft_id = draft_with(conn, wiring, forbid("internet-red-light", "router-light-red"))
    asked = {"words": "router light stays red after the power cut", "leaf": "internet-red-light", "language": "en"}
    said = words(viewer.post_form("/console/try", **asked, draft=str(draft_id)))
    assert "The likeliest article may not be offered here" in said
    assert "Barred: may not be offered here" in said
    assert viewer.post_form("/console/try", **asked, draft="99").status_code == 404


def test_the_terminal_maps_and_rehearses_on_the_index_it_loads(wiring: Wiring) -> None:
    def run(*args: str) -> str:
        done = create_app(wiring).test_cli_runner().invoke(args=["study", *args])
        assert done.exit_code == (1 if "99" in args else 0), done.output
        return done.output

    finder = wiring.finders.current()
    with wiring.pool.connection() as conn:
        draft_id = draft_with(conn, wiring, forbid("internet-red-light", "router-light-red"))
    assert "the same" in run("rehearse", str(draft_id), "--calls", "500", "--by", "kim")
    assert wiring.finders.current() is not finder
    assert "there is no draft 99" in run("rehearse", "99")
    assert "The mapping is worked out" in run("map", "--by", "kim")
    with wiring.pool.connection() as conn:
        assert [one.asked_by for one in studies.of_draft(conn, draft_id)] == ["kim"]
    assert "0 done" in run("work")


def test_a_rehearsal_is_asked_for_watched_and_leads_on_to_publishing(wiring: Wiring, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    with wiring.pool.connection() as conn:
        draft_id = draft_with(conn, wiring, forbid("internet-red-light", "router-light-red"))
    address = f"/console/menus/draft/{draft_id}/rehearsals"
    assert "This draft was not rehearsed yet." in words(editor.get(address))
    assert editor.post_form(address, calls="7").status_code == 422
    begun = editor.post_form(address, calls="500")
    assert begun.status_code == 303
    there = begun.headers["Location"]
    assert "It begins in a moment." in words(editor.get(there))
    work_off(wiring)
    told = editor.get(there)
    with wiring.pool.connection() as conn:
        (study,) = studies.of_draft(conn, draft_id)
    assert study.told is not None
    counts = study.told["counts"]
    changed = counts["other"] + counts["new"] + counts["gone"]
    assert changed > 0
    assert f"{changed} of {study.told['calls']} calls would be found something else." in words(told)
    assert "Router light stays red after the power cut" in words(told)
    assert "Go on to publish" in words(told)
    assert "Go on to publish" not in words(signed_in("viewer").get(there))
    editor.post_form("/console/language", language="es")
    assert words(editor.get(there)).count("Internet › una luz roja en el router") > 1  # by leaf, and changed most
    assert editor.get(f"{address}/999").status_code == 404
