"""Later replies that say an answer does not help."""

import time

import pytest

from search.sources.disputed import disputed

FAILS = [
    "This did not work for me.", "Tried it, still no luck.", "it doesnt work", "No, that doesn’t fix it",
    "It no longer works in version 12", "Unfortunately this didn't solve it",
    "I did all steps but the problem persists",
    "None of this worked", "I still get the error", "Wrong answer!", "This is outdated", "Not working",
    "It worked for a day but the problem came back", "No me funcionó", "A mí tampoco me sirve", "Ya no funciona",
    "Sigue igual", "sigo con el mismo problema", "El problema persiste", "Esto está desactualizado",
]  # fmt: skip
WORKS = [
    "That worked, thanks!", "Works now", "This fixed it.", "Problem solved", "It did the trick", "Solucionado",
    "At first it did not work, then after a restart it worked", "Me funcionó, gracias", "Eso sí me sirvió",
]  # fmt: skip
NEITHER = [
    "If that doesn't work, try another cable.", "Does it not work for you?", "Which version do you have?",
    "Si no funciona, reinicia el router.", "Thanks, I will try tonight", "Let me know whether this works", "",
    "¿No te funciona?", "In case it still fails, call support", "When this doesn't help, reset it",
]  # fmt: skip


@pytest.mark.parametrize("reply", FAILS)
def test_a_reply_that_it_fails_disputes(reply: str) -> None:
    assert disputed([reply])
    assert disputed([WORKS[0], reply])


@pytest.mark.parametrize("reply", WORKS)
def test_a_reply_that_it_works_answers_an_earlier_dispute(reply: str) -> None:
    assert not disputed([reply])
    assert not disputed([FAILS[0], reply])


@pytest.mark.parametrize("reply", NEITHER)
def test_a_reply_that_says_neither_changes_nothing(reply: str) -> None:
    assert not disputed([reply])
    assert disputed([FAILS[0], reply])


def test_more_disputes_than_thanks_count_though_the_last_is_a_thank_you() -> None:
    assert disputed([FAILS[0], FAILS[1], WORKS[0]])
    assert not disputed([])


@pytest.mark.parametrize(
    "text", ["this also " * 9_000, "still " * 9_000, "no me " * 9_000, "a\n" * 50_000, "x." * 9_000]
)
def test_hostile_replies_are_bounded(text: str) -> None:
    start = time.process_time()
    disputed([text] * 1_000)
    assert time.process_time() - start < 4
