"""Changes to a menu file by form: what is asked for is changed, and every other letter stays."""

import dataclasses
from difflib import unified_diff

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.planfile import editing
from ivr.planfile.document import Changes, NotThere, Unreadable, clean, values_of
from ivr.planfile.editing import ChoiceFields, HoursFields, LeafFields, MenuFields, QueueFields
from ivr.planfile.read import read_plan
from ivr.planfile.store import STARTER
from ivr.planfile.written import block, scalar

TEXT = STARTER.read_text("utf-8")
VALUES = values_of(TEXT)
QUIET = settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
SMALL = """\
# about the file
brand: Nova
menu:
  id: main
  choices:
    # about the list
    - id: one
      key: 1
      label: {en: One}
      leaf: {id: one, queue: q, topic: {en: one}}

    # about two
    - id: two   # beside two
      key: 2
      label:
        en: Two   # beside the label
      menu:
        id: two
        choices:
          - id: deep
            key: 1
            label: {en: Deep}
            leaf: {id: deep, queue: q, topic: {en: deep}}

# the end
"""


def changed(before: str, after: str) -> list[str]:
    """The lines that are not the same, with + and -."""
    lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def new_choice(key: str = "6") -> ChoiceFields:
    leaf = LeafFields("extra", "general", {"en": "an extra", "es": "algo más"}, ask=True, allowed_tags=("tv",))
    return ChoiceFields("extra", key, {"en": "an extra", "es": "algo más"}, {"en": ("bonus, please",), "es": ()}, leaf)


def test_a_form_sent_back_as_it_came_changes_nothing() -> None:
    for path in (("internet",), ("internet", "red-light"), ("email-tv", "email-password"), ("other", "stolen")):
        assert editing.change_choice(TEXT, path, editing.choice_fields(VALUES, path)) == TEXT
    assert editing.set_queue(TEXT, editing.queue_fields(VALUES, "urgent")) == TEXT
    assert editing.set_hours(TEXT, editing.hours_fields(VALUES, "office")) == TEXT


def test_a_reworded_label_changes_one_line() -> None:
    choice = editing.choice_fields(VALUES, ("internet", "slow"))
    words = {"en": "an Internet that is slow, or dead", "es": "Internet lento"}
    text = editing.change_choice(TEXT, ("internet", "slow"), dataclasses.replace(choice, label=words))
    assert changed(TEXT, text) == [
        "-            label: {en: slow Internet, es: Internet lento}",
        '+            label: {en: "an Internet that is slow, or dead", es: Internet lento}',
    ]


def test_synonyms_are_changed_in_one_language_alone() -> None:
    choice = editing.choice_fields(VALUES, ("internet", "slow"))
    said = {**choice.synonyms, "es": ("lento", "muy lento")}
    text = editing.change_choice(TEXT, ("internet", "slow"), dataclasses.replace(choice, synonyms=said))
    assert changed(TEXT, text) == [
        "-              es: [lento, conexión lenta, velocidad, muy lento, va lento, se traba, se congela]",
        "+              es: [lento, muy lento]",
    ]


def test_a_leafs_settings_are_put_in_and_taken_away() -> None:
    choice = editing.choice_fields(VALUES, ("internet", "red-light"))
    assert isinstance(choice.leads_to, LeafFields)
    leaf = dataclasses.replace(choice.leads_to, queue="billing", ask=True, pinned={}, never_offer=True, discreet=False)
    text = editing.change_choice(TEXT, ("internet", "red-light"), dataclasses.replace(choice, leads_to=leaf))
    assert editing.choice_fields(values_of(text), ("internet", "red-light")).leads_to == leaf
    assert [line[0] + line[1:].strip() for line in changed(TEXT, text)] == [
        "-queue: technical",
        "+queue: billing",
        "-# Pinned, and nothing to ask: this one article is what callers need.",
        "-pinned: {en: [router-light-red], es: [es-luz-roja-router]}",
        "+ask: true",
        "+never_offer: true",
        "+discreet: false",
    ]


def test_one_leaf_is_found_by_its_id_and_changed() -> None:
    text = editing.change_leaf(TEXT, "tv-remote", {"pinned": {"en": ["a", "b"]}, "ask": None})
    leaf = editing.choice_fields(values_of(text), ("email-tv", "remote")).leads_to
    assert isinstance(leaf, LeafFields)
    assert (leaf.pinned, leaf.ask) == ({"en": ("a", "b")}, False)
    with pytest.raises(NotThere):
        editing.change_leaf(TEXT, "nobody", {"ask": None})


def test_a_new_choice_reads_like_its_neighbours_and_callers_hear_it() -> None:
    text = editing.add_choice(TEXT, ("email-tv",), new_choice(), after="remote")
    assert changed(TEXT, text) == [
        "+          - id: extra",
        "+            key: 6",
        "+            label: {en: an extra, es: algo más}",
        "+            synonyms:",
        '+              en: ["bonus, please"]',
        "+            leaf:",
        "+              id: extra",
        "+              queue: general",
        "+              topic: {en: an extra, es: algo más}",
        "+              ask: true",
        "+              allowed_tags: [tv]",
    ]
    text = editing.remove_choice(text, ("email-tv", "email-tv-other"))
    plan = read_plan(text.encode()).plan
    assert plan is not None
    assert plan.labels(("email-tv", "extra"), "es") == ("correo o televisión", "algo más")


def test_a_menu_without_choices_gets_its_first_one() -> None:
    text = editing.add_choice(SMALL, (), ChoiceFields("three", "3", {"en": "Three"}, {}, MenuFields("three")))
    assert "\n    - id: three\n      key: 3\n      label: {en: Three}\n      menu: {id: three}\n" in text
    text = editing.add_choice(text, ("three",), new_choice("1"))
    assert editing.choice_fields(values_of(text), ("three", "extra")).key == "1"


def test_what_is_taken_away_goes_with_its_comment_and_nothing_else() -> None:
    assert editing.remove_choice(SMALL, ("two",)) == SMALL[: SMALL.index("\n    # about two")] + "\n# the end\n"
    assert "# about the list" in editing.remove_choice(SMALL, ("one",))
    with pytest.raises(NotThere):
        editing.remove_choice(SMALL, ("three",))


def test_neighbours_change_places_and_keys() -> None:
    text = editing.move_choice(SMALL, ("two",), "up")
    assert [editing.choice_fields(values_of(text), (name,)).key for name in ("two", "one")] == ["1", "2"]
    assert text.index("# about the list") < text.index("# about two") < text.index("- id: two   # beside two")
    assert text.index("- id: two") < text.index("- id: one")
    assert values_of(editing.move_choice(text, ("two",), "down")) == values_of(SMALL)


@pytest.mark.parametrize(
    ("path", "how"), [(("one",), "up"), (("two",), "down"), (("one",), "in"), (("one",), "out"), (("none",), "up")]
)
def test_a_choice_goes_nowhere_where_there_is_no_place(path: tuple[str, ...], how: str) -> None:
    with pytest.raises(NotThere):
        editing.move_choice(SMALL, path, how)


def test_a_choice_moves_out_of_its_menu_with_all_below_it_and_a_free_key() -> None:
    text = editing.move_choice(TEXT, ("internet", "slow"), "out")
    moved = editing.choice_fields(values_of(text), ("slow",))
    assert moved == dataclasses.replace(editing.choice_fields(VALUES, ("internet", "slow")), key="6")
    removed = [line[1:].strip() for line in changed(TEXT, text) if line[0] == "-" and line[1:].strip()]
    added = [line[1:].strip() for line in changed(TEXT, text) if line[0] == "+" and line[1:].strip()]
    assert [line for line in removed if line != "key: 3"] == [line for line in added if line != "key: 6"]


def test_a_choice_moves_into_the_menu_above_it_and_out_again() -> None:
    text = editing.move_choice(TEXT, ("email-tv",), "in")
    assert editing.choice_fields(values_of(text), ("internet", "email-tv", "remote")).key == "4"
    back = editing.move_choice(text, ("internet", "email-tv"), "out")
    assert editing.choice_fields(values_of(back), ("email-tv", "remote")).key == "4"
    lines = [sorted(line.strip() for line in one.splitlines() if "key:" not in line) for one in (TEXT, back)]
    assert lines[0] == lines[1]


def test_a_choice_never_goes_below_itself() -> None:
    with pytest.raises(NotThere, match="below itself"):
        editing.move_to(TEXT, ("internet",), ("internet",))


def test_the_last_choice_may_leave_its_menu_empty() -> None:
    text = editing.move_to(SMALL, ("two", "deep"), (), first=True)
    assert values_of(text)["menu"]["choices"][0]["key"] == "3"  # type: ignore[index,call-overload]
    assert "menu 'two' has no choices" in [one.what for one in read_plan(text.encode()).problems]


def test_holidays_keep_the_comments_beside_them() -> None:
    office = editing.hours_fields(VALUES, "office")
    days = tuple(day for day in office.holidays if day != "2027-01-18")
    text = editing.set_hours(TEXT, dataclasses.replace(office, holidays=(*days, "2027-12-31")))
    assert changed(TEXT, text) == ["-      - 2027-01-18", "+      - 2027-12-31"]
    assert "- 2026-11-26 # Thanksgiving" in text


def test_new_hours_and_a_new_queue_can_be_used_at_once() -> None:
    hours = HoursFields(
        "nights", "UTC", {"monday": ("20:00-24:00", "00:00-04:00")}, (), {"en": "nights", "es": "noches"}
    )
    text = editing.set_hours(TEXT, hours)
    text = editing.set_queue(text, QueueFields("night", {"en": "nights", "es": "noches"}, "nights", "600"))
    assert editing.hours_fields(values_of(text), "nights") == hours
    plan = read_plan(text.encode()).plan
    assert plan is not None
    assert plan.queues["night"].hours.weekly[0] == ((0, 240), (1200, 1440))
    assert not [line for line in changed(TEXT, text) if line[0] == "-"]
    assert values_of(editing.remove_hours(editing.remove_queue(text, "night"), "nights")) == VALUES


def test_a_sentence_and_the_top_of_the_file_are_reworded() -> None:
    text = editing.set_wording(TEXT, {("greeting", "en"): "Hello: this is {brand}."})
    text = editing.set_top(text, {"brand": "Nova", "community_url": "", "callback_number": "+12025550143"})
    assert sorted(changed(TEXT, text)) == sorted([
        "-    en: Welcome to {brand}.", '+    en: "Hello: this is {brand}."', "-brand: Lumora", "+brand: Nova",
        "-community_url: https://community.lumora.example/", '+callback_number: "+12025550143"'])  # fmt: skip


def test_a_menu_written_as_one_line_of_json_can_be_edited() -> None:
    text = '{"brand": "Nova", "menu": {"id": "main", "choices": [{"id": "a", "key": "1"}]}}'
    text = editing.add_choice(text, (), ChoiceFields("b", "2", {"en": "B"}, {}, MenuFields("b")))
    assert values_of(text) == {
        "brand": "Nova",
        "menu": {
            "id": "main",
            "choices": [{"id": "a", "key": "1"}, {"id": "b", "key": "2", "label": {"en": "B"}, "menu": {"id": "b"}}],
        },
    }


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x]\nb: *a\n",
        "a: !!python/name:os.system x\n",
        "- a\n",
        "",
        "a: 1\na: 2\n",
        "[" * 60,
        "a: " + "x" * 262_144,
    ],
)
def test_a_text_that_is_no_menu_is_not_edited(text: str) -> None:
    with pytest.raises(Unreadable):
        Changes(text)


def test_a_change_that_makes_the_file_too_big_is_refused() -> None:
    with pytest.raises(Unreadable):
        editing.set_top(TEXT, {"brand": "x" * 262_144})


def test_line_ends_of_a_browser_and_a_byte_mark_are_taken_away() -> None:
    assert clean("\ufeffa: 1\r\nb: 2\rc: 3") == "a: 1\nb: 2\nc: 3\n"


hostile = st.text(st.characters(codec="utf-8"), max_size=30)


@given(words=hostile)
@QUIET
def test_any_words_come_back_as_they_were_typed(words: str) -> None:
    text = f"a: {scalar(words)}\nb: [{scalar(words)}]\n"
    assert values_of(text) == {"a": words, "b": [words]}


_values = st.recursive(
    hostile, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile, inner, max_size=3), max_leaves=8
)


@given(values=st.dictionaries(hostile, _values, min_size=1, max_size=4))
@QUIET
def test_whatever_is_written_is_read_as_it_was(values: dict[str, object]) -> None:
    assert values_of(block(values, 0) + "\n") == values  # type: ignore[arg-type]


@given(words=hostile, key=st.sampled_from(["label", "key", "id", "new: #"]))
@QUIET
def test_hostile_words_change_nothing_but_their_own_place(words: str, key: str) -> None:
    changes = Changes(SMALL)
    changes.put(("menu", "choices", "two"), key, words)
    wanted = changes.data
    text = changes.text()
    assert values_of(text) == wanted
    assert {"# about two", "# about the list", "# the end"} <= {line.strip() for line in text.splitlines()}
