"""A community thread as imported: a question, its answers, and what may be said about it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """One answer of a thread; `text` is plain text, steps on their own lines."""

    text: str
    author: str | None = None
    votes: int = 0
    accepted: bool = False


@dataclass(frozen=True)
class Article:
    """One thread. `short` is spoken; taken from the accepted answer, None when that cannot be spoken."""

    id: str
    title: str
    question: str
    answers: tuple[Answer, ...]
    author: str | None = None
    votes: int = 0
    url: str = ""
    tags: tuple[str, ...] = ()
    language: str = "en"
    licence: str = ""
    name_authors: bool = False
    short: str | None = None

    @property
    def accepted(self) -> Answer | None:
        """The accepted answer, or None for a thread without one."""
        return next((answer for answer in self.answers if answer.accepted), None)
