"""What the search tests share: the real encoder, and a small community."""

import pytest

from search.article import Answer, Article
from search.encoder import OnnxEncoder


@pytest.fixture(scope="session")
def encoder() -> OnnxEncoder:
    """The default encoder; loading it once saves a second a test."""
    return OnnxEncoder()


def article(article_id: str, title: str, answer: str, *, language: str = "en", tags: str = "") -> Article:
    """A thread with one accepted answer."""
    return Article(
        id=article_id,
        title=title,
        question="",
        answers=(Answer(answer, accepted=True),),
        tags=tuple(tags.split()),
        language=language,
    )


@pytest.fixture(scope="session")
def community() -> list[Article]:
    """Seven threads about different things, one of them in Spanish."""
    return [
        article(
            "red-light",
            "Router light stays red after the power cut",
            "Hold the reset pin for ten seconds and let the router start again.",
            tags="internet router",
        ),
        article(
            "slow-evenings",
            "Internet is slow every evening",
            "Move the router to the less crowded channel and restart it.",
            tags="internet wifi",
        ),
        article(
            "charged-twice",
            "I was charged twice this month",
            "The second charge is a reservation and disappears within five days.",
            tags="billing",
        ),
        article(
            "messages-gone",
            "E-mail messages disappeared after an update",
            "Rebuild the index of the inbox; the messages come back.",
            tags="email",
        ),
        article("remote", "Remote does not pair with the box", "Hold the home key until the lamp blinks.", tags="tv"),
        article("roaming", "No roaming abroad", "Switch data roaming on and restart the phone.", tags="mobile"),
        article(
            "es-luz-roja",
            "La luz roja del router no se apaga",
            "Mantén pulsado el botón de reinicio durante diez segundos.",
            language="es",
            tags="internet router",
        ),
    ]
