"""A community's threads as training pairs, and the threads held back to judge by. Pure."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from search.article import Answer, Article
from search.tuning.noise import spoken_words

SHARE_HELD_BACK = 0.1
SHINGLE = 10  # two threads with so many words in one row in common are near-duplicates ...
BOILERPLATE = 20  # ... unless more threads than this have that row


@dataclass(frozen=True)
class Pair:
    """What a caller with the problem may say, and the text that should be found. `thread` is a position in
    the articles; `group` is that of its near-duplicates, which are never each other's wrong answers."""

    asked: str
    wanted: str
    thread: int
    group: int


def groups(articles: Sequence[Article]) -> list[int]:
    """For every article the smallest position among its near-duplicates, its own if it has none."""
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for place, article in enumerate(articles):
        words = spoken_words(asked(article))
        rows = {tuple(words[at : at + SHINGLE]) for at in range(max(1, len(words) - SHINGLE + 1))}
        for row in rows:
            holders[hash(row)].append(place)
    parents = list(range(len(articles)))
    for places in holders.values():
        if len(places) <= BOILERPLATE:
            for place in places[1:]:
                _join(parents, places[0], place)
    return [_root(parents, place) for place in range(len(articles))]


def held_back(articles: Sequence[Article], own_group: Sequence[int], share: float = SHARE_HELD_BACK) -> frozenset[int]:
    """Positions of the threads kept from training, near-duplicates together; the same ones in every run."""
    return frozenset(
        place
        for place, group in enumerate(own_group)
        if _draw(articles[group].id) < share and best_answer(articles[place])
    )


def training_pairs(
    articles: Sequence[Article],
    own_group: Sequence[int],
    kept_back: frozenset[int],
    confirmed: Iterable[tuple[str, str]] = (),
) -> list[Pair]:
    """The pairs of all threads outside the groups held back.

    Each thread gives: what was asked -> its best answer; its title -> question and answers; its question ->
    title. `confirmed` are (transcript, article id) of calls the article was seen to end.
    """
    hidden = {own_group[place] for place in kept_back}
    found: list[Pair] = []
    places = {article.id: place for place, article in enumerate(articles)}

    def add(said: str, wanted: str, place: int) -> None:
        if said.strip() and wanted.strip() and own_group[place] not in hidden:
            found.append(Pair(said, wanted, place, own_group[place]))

    for place, article in enumerate(articles):
        answer = best_answer(article)
        if answer is None:
            continue
        add(asked(article), answer.text, place)
        add(article.title, whole(article), place)
        add(article.question, article.title, place)
    for transcript, article_id in confirmed:
        if (at := places.get(article_id)) is not None:
            add(transcript, whole(articles[at]), at)
            add(transcript, articles[at].title, at)
    return found


def confirmed_from(lines: Iterable[str]) -> list[tuple[str, str]]:
    """(transcript, article id) of each line, a JSON object with these two. Raises `ValueError` naming the line."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number} is not valid JSON") from error
        said, article_id = (
            record.get(name) if isinstance(record, Mapping) else None for name in ("transcript", "article_id")
        )
        if not isinstance(said, str) or not isinstance(article_id, str):
            raise ValueError(f"line {number} is not an object with the texts transcript and article_id")
        found.append((said[:2000], article_id))
    return found


def asked(article: Article) -> str:
    """The asker's words: the title, and the question where it is more than the title again."""
    if article.question.casefold().startswith(article.title.casefold()):
        return article.question
    return f"{article.title}. {article.question}" if article.question else article.title


def best_answer(article: Article) -> Answer | None:
    """The accepted answer, else the one with the most votes, the first of equals; None for none."""
    return article.accepted or max(article.answers, key=lambda answer: answer.votes, default=None)


def whole(article: Article) -> str:
    """Question and answers, as the index embeds them."""
    return "\n".join(text for text in (article.question, *(answer.text for answer in article.answers)) if text)


def _draw(text: str) -> float:
    """A number in [0, 1) that is always the same for `text`."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


def _root(parents: list[int], place: int) -> int:
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place


def _join(parents: list[int], one: int, other: int) -> None:
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first
