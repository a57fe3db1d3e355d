"""What callers say before they say what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.finder import MAX_TRANSCRIPT, searched_text
from search.openings import to_the_point
from search.query import Query


@pytest.mark.parametrize(
    ("language", "said", "meant"),
    [
        ("en", "um yeah hi so my router light is red", "my router light is red"),
        ("en", "Hello, good morning. Okay, so, like, I can't get online", "I can't get online"),
        ("en", "that’s fine and do they take cards", "do they take cards"),
        ("en", "great thank you right how do i pay", "how do i pay"),
        ("en", "my uh what is it um modem", "my what is it modem"),
        ("en", "right speaker is dead", "right speaker is dead"),
        ("en", "now tv buffers", "now tv buffers"),
        ("en", "so-so sound on my hi-fi", "so-so sound on my hi-fi"),
        ("en", "the ER bill, 3 mm screws", "the ER bill, 3 mm screws"),
        ("en", "hello", ""),
        ("en", "um hi so my bill", "my bill"),
        ("en", "thanks, my bill", "my bill"),
        ("es", "buenas tardes, mi factura", "mi factura"),
        ("en", "hello, yes, hello", ""),
        ("en", "okay so how do i pay", "okay so how do i pay"),
        ("en", "uh, well, i can't log in", "well, i can't log in"),
        ("es", "hola, buenos días, eh, este, no tengo internet", "no tengo internet"),
        ("es", "bueno pues a ver mi factura", "mi factura"),
        ("es", "este módem no enciende", "este módem no enciende"),
        ("de", "um halb acht ok", "um halb acht ok"),
        ("en", "", ""),
    ],
)
def test_openings_and_sounds_go_and_what_names_the_problem_stays(language: str, said: str, meant: str) -> None:
    assert to_the_point(said, language) == meant


@pytest.mark.parametrize("piece", ["right ", "um", "so ", "that sounds ", "u", "a ver "])
def test_what_is_nothing_but_openings_is_done_with_at_once(piece: str) -> None:
    assert len(to_the_point(piece * (MAX_TRANSCRIPT // len(piece)), "en")) <= MAX_TRANSCRIPT


def test_a_search_is_for_what_is_left_and_never_for_nothing() -> None:
    assert searched_text(Query((), "um yeah hi so my bill", "en")) == "my bill"
    assert searched_text(Query((), "my v uh p n", "en")) == "my vpn"
    assert searched_text(Query((), "yes, agent", "en")) is None
    assert searched_text(Query(("Router",), "um hello", "en")) == "Router"
    assert searched_text(Query((), "thank you", "en")) == "thank you"


SAID = (
    *("um", "uh.", "so", "so,", "yes", "well", "well,", "right", "great", "hi", "hello", "okay", "now", "good"),
    *("morning", "that's", "fine", "my", "the", "modem", "speaker", "is", "red", "t", "v", "p", "m"),
)


@given(st.lists(st.sampled_from(SAID), max_size=12).map(" ".join))
def test_what_is_searched_for_is_searched_for_as_it_is(said: str) -> None:
    meant = searched_text(Query((), said, "en"))
    assert meant is None or searched_text(Query((), meant, "en")) == meant
