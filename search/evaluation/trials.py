"""The questions of a judged set put to the service's own ranking, all evidence kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from search.bundle import Bundle
from search.encoder import Encoder
from search.evaluation.judged import Judged, JudgedSet
from search.evidence import asked
from search.finder import searched_text
from search.index import Progress, build, load
from search.judge import Judge
from search.ranking import Part, rank

EVERYTHING = 10_000  # candidates kept: all of them


@dataclass(frozen=True)
class Trial:
    """One question: the evidence for each candidate, which of them solve it, and what the gate may look at."""

    judged: Judged
    ids: tuple[str, ...]
    features: npt.NDArray[np.float32]
    right: npt.NDArray[np.bool_]
    density: tuple[float, float]


def built(judged: JudgedSet, encoder: Encoder, progress: Progress | None = None) -> Bundle:
    """The set's articles as an index. Its folder goes with this process."""
    folder = TemporaryDirectory(prefix="offhold-evaluate-")
    version, _ = build(judged.articles, encoder, Path(folder.name), progress)
    bundle = load(Path(folder.name) / version, encoder.model_id, encoder.dimension)
    _folders.append(folder)
    return bundle


_folders: list["TemporaryDirectory[str]"] = []


def trials(judged: JudgedSet, bundle: Bundle, encoder: Encoder, judge: Judge) -> Iterator[Trial]:
    """Each question with all of its candidates; those that say or find nothing are left out."""
    for one in judged.queries:
        query, text = one.query, searched_text(one.query)
        if text is None:
            continue
        caller = asked(encoder.encode([text])[0], text, query.path, query.language)
        every = bundle.allowed(query.language)
        part = Part(bundle, every, every)
        ranking = rank([part], caller, judge, query.language, EVERYTHING)
        if ranking is None:
            continue
        ids = tuple(bundle.ids[place.row] for place in ranking.places)
        features = np.array([place.features for place in ranking.places], dtype=np.float32)
        right = np.array([name in one.relevant for name in ids])
        yield Trial(one, ids, features, right, bundle.density)
