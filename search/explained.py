"""A search laid open: every candidate, what speaks for it, and why it was chosen or not. Pure."""

from dataclasses import dataclass

from search.result import Match, NoMatch

#: what became of a candidate
VERDICTS = (
    "chosen",  # this is offered
    "further",  # the next one, offered when more is wanted
    "unsure",  # the best one, and not likely enough
    "rival",  # level with one about something else
    "behind",  # less likely than the best one
    "barred",  # may not be offered here
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One of `search.evidence.FEATURES`: its value, and what it adds to the candidate's ranking score."""

    name: str
    value: float
    adds: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article that was looked at. `chance`: that it solves the problem, as if no allowed one came before it."""

    article_id: str
    verdict: str
    chance: float
    pieces: tuple[Piece, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Explained:
    """The answer; the chance an article needs to be offered (`gate`); the words searched for; the candidates, the
    allowed ones first, best first."""

    answer: Match | NoMatch
    gate: float
    searched: str
    candidates: tuple[Candidate, ...] = ()
