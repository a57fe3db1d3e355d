"""Two editors of one draft: what they changed comes together by meaning, and contradictions are told, not lost."""

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.planfile import editing
from ivr.planfile.document import Block, Changes, Path, Unreadable, values_of
from ivr.planfile.editing import ChoiceFields, LeafFields
from ivr.planfile.merging import Conflict, merge
from tests.ivr.planfile.test_editing import SMALL

LABEL: Path = ("menu", "choices", "two", "label", "en")


def put(path: Path, key: str, value: str, text: str = SMALL) -> str:
    changes = Changes(text)
    changes.put(path, key, value)
    return changes.text()


def added(name: str) -> str:
    leaf = LeafFields(name, "q", {"en": name})
    return editing.add_choice(SMALL, (), ChoiceFields(name, "3", {"en": name}, {"en": (name,)}, leaf))


def ids(text: str) -> list[str]:
    menu: Any = values_of(text)["menu"]
    return [one["id"] for one in menu["choices"]]


def test_changes_in_different_places_are_both_kept_with_their_comments() -> None:
    theirs = put((), "brand", "Orion") + "# theirs\n"
    mine = put(LABEL[:-1], "en", "Second").replace("# about the file", "# about my file")
    merged = merge(SMALL, theirs, mine)
    assert merged.conflicts == ()
    assert merged.text == mine.replace("brand: Nova", "brand: Orion") + "# theirs\n"


def test_changes_side_by_side_in_one_line_are_both_kept() -> None:
    base = SMALL.replace("label: {en: One}", "label: {en: One, es: Uno}")
    theirs, mine = base.replace("One,", "First,"), base.replace("Uno}", "Primero}")
    assert merge(base, theirs, mine).text == base.replace("{en: One, es: Uno}", "{en: First, es: Primero}")


def test_choices_that_both_added_are_both_there() -> None:
    merged = merge(SMALL, added("theirs"), added("mine"))
    assert merged.conflicts == ()
    assert sorted(ids(merged.text)) == ["mine", "one", "theirs", "two"]


def test_words_that_both_put_into_a_list_are_both_in_it() -> None:
    base = SMALL.replace("label: {en: One}", "label: {en: One}\n      synonyms: {en: [a, b, c]}")
    theirs, mine = base.replace("[a, b, c]", "[b, c, d]"), base.replace("[a, b, c]", "[a, c, e]")
    assert "synonyms: {en: [c, d, e]}" in merge(base, theirs, mine).text


def test_one_word_changed_by_both_is_a_contradiction_that_either_can_win() -> None:
    theirs, mine = put(LABEL[:-1], "en", "Theirs"), put(LABEL[:-1], "en", "Mine")
    merged = merge(SMALL, theirs, mine)
    assert merged == merge(SMALL, theirs, mine, {})
    assert merged.conflicts == (Conflict(LABEL, "Two", "Theirs", "Mine"),)
    assert merge(SMALL, theirs, mine, {LABEL: True}).text == mine
    assert merge(SMALL, theirs, mine, {LABEL: False}).text == theirs


def test_what_one_took_away_and_the_other_changed_is_a_contradiction() -> None:
    gone, kept = editing.remove_choice(SMALL, ("two",)), put(LABEL[:-1], "en", "Second")
    path: Path = ("menu", "choices", "two")
    for theirs, mine in ((gone, kept), (kept, gone)):
        merged = merge(SMALL, theirs, mine)
        assert [one.path for one in merged.conflicts] == [path]
        assert ids(merge(SMALL, theirs, mine, {path: True}).text) == ids(mine)
        assert ids(merge(SMALL, theirs, mine, {path: False}).text) == ids(theirs)


def test_what_one_took_away_and_the_other_left_alone_is_gone() -> None:
    gone, other = editing.remove_choice(SMALL, ("two",)), put((), "brand", "Orion")
    assert ids(merge(SMALL, gone, other).text) == ids(merge(SMALL, other, gone).text) == ["one"]


def test_a_choice_moved_by_one_and_reworded_elsewhere_by_the_other() -> None:
    moved, reworded = editing.move_choice(SMALL, ("two",), "up"), put((), "brand", "Orion")
    for theirs, mine in ((moved, reworded), (reworded, moved)):
        merged = merge(SMALL, theirs, mine)
        assert merged.conflicts == ()
        assert (ids(merged.text), values_of(merged.text)["brand"]) == (["two", "one"], "Orion")


@pytest.mark.parametrize("other", [SMALL, put((), "brand", "Orion")])
def test_with_nothing_changed_the_other_text_stands_to_the_letter(other: str) -> None:
    assert merge(SMALL, other, SMALL).text == other
    assert merge(SMALL, SMALL, other).text == other
    assert merge(SMALL, other, other).text == other


def _edits() -> list[str]:
    """Small changes, each alone."""
    return [
        put((), "brand", "A"), put((), "brand", "B"), put(LABEL[:-1], "en", "A"), put(LABEL[:-1], "es", "A"),
        put(("menu", "choices", "one", "leaf"), "queue", "r"), editing.remove_choice(SMALL, ("one",)),
        editing.remove_choice(SMALL, ("two",)), editing.move_choice(SMALL, ("two",), "up"),
        editing.move_choice(SMALL, ("two", "deep"), "out"),
        added("x"), added("y"), editing.set_queue(SMALL, editing.QueueFields("q", {"en": "Q"}, "h")),
    ]  # fmt: skip


def test_whatever_two_editors_do_both_ways_mean_the_same_or_contradict_in_the_same_places() -> None:
    for one, other in itertools.combinations(_edits(), 2):
        here, there = merge(SMALL, one, other), merge(SMALL, other, one)
        assert {conflict.path for conflict in here.conflicts} == {conflict.path for conflict in there.conflicts}
        if not here.conflicts:
            assert _sorted(values_of(here.text)) == _sorted(values_of(there.text))


def _sorted(value: object) -> object:
    """Without the order of what both put into one list."""
    if isinstance(value, dict):
        return {key: _sorted(one) for key, one in value.items()}
    return sorted(repr(_sorted(one)) for one in value) if isinstance(value, list) else value


_blocks = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", "3"]), min_size=1, max_size=3)


@given(base=_blocks, theirs=_blocks, mine=_blocks)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_every_key_is_theirs_mine_or_told(base: Block, theirs: Block, mine: Block) -> None:
    texts = ["".join(f"{key}: {value}\n" for key, value in one.items()) for one in (base, theirs, mine)]
    wanted = {}
    for key in "abc":
        value = theirs.get(key) if mine.get(key) == base.get(key) else mine.get(key)
        if value is not None:
            wanted[key] = value
    if not wanted:  # together they took everything away, and nothing is no menu file
        with pytest.raises(Unreadable):
            merge(texts[0], texts[1], texts[2], {(key,): True for key in "abc"})
        return
    merged = merge(texts[0], texts[1], texts[2], {(key,): True for key in "abc"})
    assert merged.conflicts == ()
    assert values_of(merged.text) == wanted
