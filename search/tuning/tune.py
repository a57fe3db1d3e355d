"""From a community's threads to a model that beat the one it began as, or to none."""

import hashlib
import json
import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from search.article import Article
from search.tuning.compare import Comparison, Passages, compare, passages_of, places
from search.tuning.export import export
from search.tuning.network import Network
from search.tuning.noise import Telephone
from search.tuning.pairs import asked, groups, held_back, training_pairs
from search.tuning.train import Recipe, Stopped, neighbours, train

MOST_THREADS = 10_000  # what an hour on two cores has room for; of a larger community a sample learns
MOST_JUDGED = 800
OTHERS = 2_000  # threads among which the answer must be found, besides those judged
FEWEST_JUDGED = 50
FEWEST_PAIRS = 300
NEIGHBOUR_TOKENS = 32  # of title and question: enough to tell neighbours
EXPORT_SECONDS = 60.0

Told = Callable[[str, float], None]  # what is being done, and the share of it that is done


class TooFew(ValueError):
    """The community has too few answered threads to learn from or to judge by."""


@dataclass(frozen=True)
class Course:
    """What a run learns from and is judged by."""

    articles: tuple[Article, ...]
    own_group: tuple[int, ...]
    judged: tuple[int, ...]  # positions in the articles, those of the threads held back
    hidden: frozenset[int]
    confirmed: tuple[tuple[str, str], ...]
    run: str  # SHA-256 of all of it


def plan(articles: Sequence[Article], confirmed: Sequence[tuple[str, str]] = ()) -> Course:
    """Choose the threads to learn from and those to judge by, the same in every run. Raises `TooFew`."""
    answered = sorted((one for one in articles if one.answers), key=lambda one: _draw(one.id))[:MOST_THREADS]
    own_group = groups(answered)
    hidden = held_back(answered, own_group)
    judged = [place for place in sorted(hidden) if own_group.count(own_group[place]) == 1][:MOST_JUDGED]
    if len(judged) < FEWEST_JUDGED:
        raise TooFew(
            f"{len(judged)} threads to judge by, at least {FEWEST_JUDGED} are needed: about {FEWEST_JUDGED * 10} in all"
        )
    digest = hashlib.sha256(json.dumps([asdict(one) for one in answered] + list(confirmed), default=str).encode())
    return Course(tuple(answered), tuple(own_group), tuple(judged), hidden, tuple(confirmed), digest.hexdigest())


def tune(
    course: Course,
    out: Path,
    seconds: float,
    *,
    recipe: Recipe | None = None,
    threads: int = 2,
    stop: Callable[[], bool] = lambda: False,
    told: Told = lambda what, share: None,
) -> Comparison:
    """Train, compare, and write the model to `out` if it won; nothing is written there otherwise.

    What is done so far is kept in `out`.unfinished, so that a run that raised `Stopped` goes on. Raises
    `EncoderError` without torch, `TooFew`, and `ExportError`.
    """
    work = out.with_name(out.name + ".unfinished")
    work.mkdir(parents=True, exist_ok=True)
    pairs = training_pairs(course.articles, course.own_group, course.hidden, course.confirmed)
    if len(pairs) < FEWEST_PAIRS:
        raise TooFew(f"{len(pairs)} pairs to learn from, at least {FEWEST_PAIRS} are needed")
    network = Network(threads)
    line = Telephone(asked(article) for article in course.articles)
    exam = _Exam(course, line)
    before = _before(network, course, exam, work / f"base-{course.run[:16]}.npz", stop, told)
    room = seconds - float(before["seconds"]) * 2 - EXPORT_SECONDS
    train(
        network,
        pairs,
        before["near"],
        line,
        recipe or Recipe(),
        max(room, seconds / 4),
        work / "checkpoint.pt",
        run=course.run,
        stop=stop,
        told=lambda share, loss: told(f"training, loss {loss:.3f}", share),
    )
    result = compare(before["places"], exam.places(network, lambda share: _go(stop, told, "judging", share)))
    if result.won:
        export(network, out, {**asdict(result), "trained_on": len(pairs)}, exam.asked[:64])
    shutil.rmtree(work)
    return result


class _Exam:
    """The judged threads' words as heard on a telephone, and the passages among which their answers lie."""

    def __init__(self, course: Course, line: Telephone) -> None:
        others = [place for place in range(len(course.articles)) if place not in course.hidden]
        chosen = [*course.judged, *others[:OTHERS]]
        self.passages: Passages = passages_of([course.articles[place] for place in chosen])
        self.threads = range(len(course.judged))
        self.asked = [
            line.hear(asked(course.articles[place]), random.Random(course.articles[place].id))
            for place in course.judged
        ]

    def places(self, network: Network, told: Callable[[float], None]) -> npt.NDArray[np.int64]:
        """Where `network` finds each own answer."""
        done = 0
        whole = len(self.passages.texts)

        def count(more: int) -> None:
            nonlocal done
            done += more
            told(done / whole)

        vectors = network.vectors(self.passages.texts, count)
        return places(vectors, self.passages, network.vectors(self.asked), self.threads)


def _before(
    network: Network, course: Course, exam: _Exam, kept: Path, stop: Callable[[], bool], told: Told
) -> dict[str, npt.NDArray[np.int64]]:
    """What the base model finds and which threads it holds for neighbours; worked out once a run."""
    if kept.exists():
        with np.load(kept, allow_pickle=False) as found:
            return dict(found)
    began = time.monotonic()
    found_at = exam.places(network, lambda share: _go(stop, told, "judging the model as it is", share))
    seconds = time.monotonic() - began
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        _go(stop, told, "looking for neighbours", done / len(course.articles))

    questions = network.vectors([asked(article) for article in course.articles], count, most_tokens=NEIGHBOUR_TOKENS)
    near = neighbours(questions, course.own_group)
    draft = kept.with_suffix(".draft.npz")
    np.savez(draft, places=found_at, near=near, seconds=np.array(seconds))
    draft.replace(kept)
    return {"places": found_at, "near": near, "seconds": np.array(seconds)}


def _go(stop: Callable[[], bool], told: Told, what: str, share: float) -> None:
    if stop():
        raise Stopped
    told(what, share)


def _draw(text: str) -> bytes:
    return hashlib.sha256(b"sample " + text.encode()).digest()
