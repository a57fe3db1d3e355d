"""What a search gives back: a match with its evidence, or a refusal with its reason. Pure."""

from dataclasses import dataclass

REFUSALS: tuple[str, ...] = (
    "nothing_near",  # the best article lies below the threshold
    "rival_topics",  # two different articles are equally near
    "transcript_too_poor",  # nothing was said that could be searched
    "not_allowed_here",  # what is near may not be offered at this leaf
    "article_stale",  # the best one was withdrawn, or its source let it lapse, since the index was built
    "language",  # no article in the caller's language
    "no_index",  # nothing has been built and published yet
    "search_failed",  # an error of ours: the caller holds as if there were no article
    "search_busy",  # too many searches at once: this one could not be done in time
    "never_offer",  # the leaf forbids offers (emergency, fraud, bereavement, cancellation)
)


@dataclass(frozen=True)
class ArticleCard:
    """What the call flow needs to offer an article.

    `short` is None when no part of the accepted answer can be read aloud; `author` is None unless the
    source allows naming and the name can be spoken.
    """

    id: str
    title: str
    short: str | None
    author: str | None
    votes: int
    helped: int
    language: str
    tags: tuple[str, ...] = ()
    spoken: str = ""  # the title as it is said; empty: nothing of it can be


@dataclass(frozen=True)
class Match:
    """The article chosen. `score` is 0-1, bigger is better; `margin` is the lead over `runner_up`,
    the next other article (the whole score when there is none)."""

    article_id: str
    score: float
    margin: float
    index_version: str
    runner_up: str | None = None
    how: str = "search"  # or "pin": fixed by the leaf
    logit: float | None = None  # of the gate, that `score` comes from


@dataclass(frozen=True)
class NoMatch:
    """Why no article is offered. `score` and `logit` are those of the best candidate, when one was looked at."""

    reason: str
    index_version: str | None = None
    score: float | None = None
    logit: float | None = None

    def __post_init__(self) -> None:
        if self.reason not in REFUSALS:
            raise ValueError(f"unknown refusal reason {self.reason!r}, expected one of {', '.join(REFUSALS)}")
