"""Offer rules are changed in a draft, by a form that shows what the share without an offer costs in weeks."""

import html
import re
from datetime import timedelta

import pytest

from ivr import gate
from ivr.console import offer_rules
from ivr.console.menus import reading
from ivr.planfile import editing
from ivr.wiring import Wiring
from models import counts, drafts, plans
from search.calibration import shipped
from tests.ivr.web.conftest import STARTER, Clock
from tests.ivr.web.console.conftest import SignedIn

TEXT = STARTER.read_text("utf-8")
RULES = offer_rules.rules(TEXT)


def words(answer: object) -> str:
    """What a page says, tags taken out."""
    text = answer.get_data(as_text=True)  # type: ignore[attr-defined]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def count(wiring: Wiring, clock: Clock, eligible: int) -> None:
    """Calls of yesterday: as many held as eligible, of which agents answered six in ten."""
    day = (clock() - timedelta(days=1)).date()
    numbers = counts.NONE._replace(calls=eligible, held=eligible, eligible=eligible, agents=eligible * 6 // 10)
    columns = ", ".join(numbers._fields)
    with wiring.pool.connection() as conn:
        conn.execute(
            f"INSERT INTO place_days (day, path, leaf, queue, refusal, {columns})"
            f" VALUES (%s, '{{}}', '', 'general', ''{', %s' * len(numbers)})",
            (day, *numbers),
        )


def test_changed_rules_stand_in_a_new_draft_and_all_else_stays(signed_in: SignedIn, wiring: Wiring) -> None:
    admin = signed_in("admin")
    changed = {**RULES, "holdout_share": "7,5", "min_position": "4", "follow_up": "on"}
    answer = admin.post_form("/console/settings/offers", **changed)
    assert answer.status_code == 303
    page = admin.get(answer.headers["Location"])
    assert "The rules are saved in the draft." in words(page)
    assert 'value="7.5"' in page.text
    with wiring.pool.connection() as conn:
        (draft,) = drafts.listed(conn)
    assert f'href="/console/menus/draft/{draft.id}/publish"' in page.text
    plan = reading(draft.yaml).plan
    assert plan is not None
    assert (plan.offers.holdout_share, plan.offers.min_position, plan.offers.follow_up) == (0.075, 4, True)
    before, after = TEXT.splitlines(), draft.yaml.splitlines()
    assert len(before) == len(after)
    different = [now for was, now in zip(before, after, strict=True) if was != now]
    assert [line.split("#")[0].strip() for line in different] == [
        "min_position: 4", "holdout_share: 0.075", "follow_up: true",
    ]  # fmt: skip


def test_a_second_change_goes_into_the_same_draft(signed_in: SignedIn, wiring: Wiring) -> None:
    admin = signed_in("admin")
    place = admin.post_form("/console/settings/offers", **{**RULES, "min_wait_s": "120"}).headers["Location"]
    number = place.rpartition("=")[2]
    again = {**RULES, "min_wait_s": "120", "texts_per_day": "2", "draft": number, "revision": "2"}
    assert admin.post_form("/console/settings/offers", **again).headers["Location"] == place
    with wiring.pool.connection() as conn:
        (draft,) = drafts.listed(conn)
    kept = offer_rules.rules(draft.yaml)
    assert (draft.revision, kept["min_wait_s"], kept["texts_per_day"]) == (3, "120", "2")


@pytest.mark.parametrize(
    ("name", "typed", "told"),
    [
        ("min_position", "2", "A number from 3 to 100."),
        ("texts_per_day", "many", "A number from 1 to 3."),
        ("follow_up_after_h", "", "A number from 2 to 4."),
        ("quiet_from_h", "22", "A number from 17 to 21."),
        ("quiet_until_h", "7", "A number from 8 to 12."),
        ("holdout_share", "91", "A percentage from 0 to 90."),
        ("wrong_share", "0.5", "A percentage from 1 to 50."),
        ("wrong_share", "NaN", "A percentage from 1 to 50."),
        ("first_after_s", '"><script>alert(1)</script>', "A number from 5 to 60."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    signed_in: SignedIn, wiring: Wiring, name: str, typed: str, told: str
) -> None:
    other = "min_wait_s" if name != "min_wait_s" else "reminder_after_s"
    answer = signed_in("admin").post_form("/console/settings/offers", **{**RULES, other: "333", name: typed})
    assert answer.status_code == 422
    assert re.search(rf'id="problem-{name}">{re.escape(told)}', answer.text)
    assert 'value="333"' in answer.text
    assert f'value="{html.escape(typed)}"'.replace("&quot;", "&#34;") in answer.text
    with wiring.pool.connection() as conn:
        assert drafts.listed(conn) == []


def test_what_a_share_of_wrong_texts_comes_to_is_told(signed_in: SignedIn, wiring: Wiring, clock: Clock) -> None:
    admin = signed_in("admin")
    said = words(admin.get("/console/settings/offers"))
    assert "estimated once there are 200 searches in calls; until then, 50% is assumed" in said
    assert "measured on another community" in said
    kept = shipped().promise(0.1)
    assert "Right articles offered in English Right articles offered in Spanish 2%" in said
    assert f" 10% {kept.shown:.0%} {kept.shown:.0%} " in said
    with wiring.pool.connection() as conn:
        gate.note_callers(conn, gate.Callers(0.95, 4321), clock())
    typed = words(admin.post_form("/console/settings/offers", **{**RULES, "wrong_share": "7,5", "min_position": "2"}))
    broken = shipped().promise(0.075, 0.95)
    assert "By 4,321 searches in calls of the last 28 days, nothing here helps 95% of the callers." in typed
    assert f" 7.5% {broken.shown:.0%}, and {broken.wrong:.0%} may be wrong" in typed


def test_the_weeks_are_those_of_the_site(signed_in: SignedIn, wiring: Wiring, clock: Clock) -> None:
    admin = signed_in("admin")
    assert "Too few calls to say" in words(admin.get("/console/settings/offers"))
    count(wiring, clock, 4000)
    # 10 % held out, 60 % need an agent, 5 points fewer: 7.849 * (0.24 / 0.1 + 0.2475 / 0.9) / 0.0025 callers
    with wiring.pool.connection() as conn:
        found = offer_rules.weeks(conn, wiring, 0.075)
    assert (found.calls_a_week, found.agents, found.shares) == (1000, 0.6, (0.05, 0.075, 0.1, 0.2, 0.5))
    five = next(line for line in found.lines if line.points == 5)
    assert five.weeks[2] == 9
    assert list(five.weeks) == sorted((one for one in five.weeks if one), reverse=True)
    said = words(admin.get("/console/settings/offers"))
    assert "1,000 calls a week" in said
    assert "an agent answered 60% of those on hold" in said


def test_the_weeks_move_with_the_share_before_anything_is_saved(
    signed_in: SignedIn, wiring: Wiring, clock: Clock
) -> None:
    admin = signed_in("admin")
    count(wiring, clock, 4000)
    told = {}
    for share in ("10", "7,5", "50", "0", "many"):
        typed = {"csrf_token": admin.csrf_token, "holdout_share": share}
        answer = admin.post("/console/settings/offers/weeks", data=typed, headers={"HX-Request": "true"})
        assert (answer.status_code, "<html" in answer.text) == (200, False)
        told[share] = words(answer)
    assert "With 10% held out, 9 weeks measure" in told["10"]
    assert "With 7.5% held out, 11 weeks measure" in told["7,5"]
    assert "7.5% without an offer" in told["7,5"]
    assert "7.5%" not in told["10"]
    assert "With 50% held out, 4 weeks measure" in told["50"]
    assert all("nothing is measured" in told[share] for share in ("0", "many"))
    whole = admin.post_form("/console/settings/offers/weeks", **{**RULES, "holdout_share": "7.5", "min_wait_s": "333"})
    assert "With 7.5% held out, 11 weeks measure" in words(whole)
    assert 'value="333"' in whole.text
    with wiring.pool.connection() as conn:
        assert drafts.listed(conn) == []


def test_a_menu_without_rules_gets_those_that_differ_from_the_defaults() -> None:
    bare = re.sub(r"(?ms)^offers:\n(?:  .*\n)+", "", TEXT)
    assert "offers" not in bare.split("wording:")[0].replace("offers,", "")
    assert offer_rules.rules(bare)["holdout_share"] == "10"
    plan = reading(editing.set_offers(bare, {"holdout_share": "0.2"})).plan
    assert plan is not None
    assert plan.offers.holdout_share == 0.2


def test_before_a_menu_is_published_the_page_says_so(signed_in: SignedIn, wiring: Wiring) -> None:
    with wiring.pool.connection() as conn:
        assert plans.live_version(conn)
        conn.execute("TRUNCATE plans CASCADE")
    assert "There is no menu to read rules from" in words(signed_in("admin").get("/console/settings/offers"))
