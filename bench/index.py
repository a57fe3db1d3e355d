"""`python -m bench.index SETS`: the search index of ten thousand real articles, of 100 thousand and a million passages.

The real articles are encoded in full (vectors are kept for the next time) and the rate is told. The larger sizes are
made of these: each further vector is a real one moved as far as that one's nearest neighbour lies (its own cosine is
kept), and its article's words are those of two real articles mixed. Every size is searched in a process of its own that
may use one core: by the very finder that calls use, and by a plain build, sentence-transformers and FAISS's IndexFlatIP
over the same vectors with a list of ids. Where sentence-transformers is not installed (`make test-models` does that,
in an environment of its own), the plain build has our encoder, and the table says so.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from rich.table import Table

from bench.plain import WARM, Timed, asked_of, held, one_core, resident
from search.article import Article
from search.bundle import Collected, Evidence, passages, words_of
from search.encoder import OnnxEncoder, load_encoder
from search.evaluation.kept import KeptEncoder
from search.evaluation.options import KEPT
from search.finder import Finder, searched_text
from search.importing import ImportReport, read_articles
from search.index import load, read_manifest, write
from search.query import Query
from search.ranking import NEAREST

Vectors = npt.NDArray[np.float32]
SEED = 1
QUERIES = 300
SERVED = "onnx-fast"  # the setting ENCODER's default
ARTICLES = 10_000
RATE_OF = 512  # passages encoded to tell the rate
BLOCK = 20_000
COLUMNS = (
    *("passages", "build", "build s", "load s", "resident MB", "bytes/passage"),
    *("encoder p50", "search p50", "p99", "processor", "whole p50", "recall@10"),
)
WHOLE_NUMBERS = ("resident MB", "bytes/passage")


def real(sets: Path, wanted: int) -> tuple[list[Article], list[str]]:
    """`wanted` articles of several sets, mixed, and what callers' questions are searched for by."""
    found: list[Article] = []
    texts: list[str] = []
    for folder in sorted(path for path in sets.iterdir() if (path / "queries.jsonl").is_file()):
        with (folder / "queries.jsonl").open(encoding="utf-8") as lines:
            texts += [json.loads(line)["text"] for line in lines]
        if (folder / "articles.jsonl").stat().st_size > 1000:
            found += read_articles(folder / "articles.jsonl", ImportReport())
    draw = random.Random(SEED)
    draw.shuffle(found)
    draw.shuffle(texts)
    asked = [meant for text in texts if (meant := searched_text(Query((), text, "en")))]
    return found[:wanted], asked[:QUERIES]


class Known:
    """An encoder of the bench's questions alone, which takes no time."""

    def __init__(self, model_id: str, texts: list[str], vectors: Vectors) -> None:
        self.model_id, self.dimension = model_id, int(vectors.shape[1])
        self._vectors = dict(zip(texts, vectors, strict=True))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `search.encoder.Encoder`."""
        return np.stack([self._vectors[text] for text in texts])


def neighbour_cosines(vectors: Vectors) -> Vectors:
    """How near the nearest other vector is to each."""
    best = np.empty(len(vectors), np.float32)
    for begin in range(0, len(vectors), 1000):
        cosines = vectors[begin : begin + 1000] @ vectors.T
        cosines[np.arange(len(cosines)), np.arange(begin, begin + len(cosines))] = -1
        best[begin : begin + 1000] = cosines.max(axis=1)
    return np.clip(best, 0.2, 0.98)


def moved(vectors: Vectors, cosines: Vectors, count: int) -> Iterator[npt.NDArray[np.float16]]:
    """`count` vectors: the real ones, then real ones moved to their neighbour's cosine in random directions."""
    yield vectors[:count].astype(np.float16)
    draw = np.random.default_rng(SEED)
    for begin in range(len(vectors), count, BLOCK):
        rows = draw.integers(0, len(vectors), min(BLOCK, count - begin))
        away = draw.standard_normal((len(rows), vectors.shape[1]), dtype=np.float32)
        away -= (away * vectors[rows]).sum(axis=1, keepdims=True) * vectors[rows]
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        cosine = cosines[rows, None]
        yield (cosine * vectors[rows] + np.sqrt(1 - cosine**2) * away).astype(np.float16)


def collected(articles: list[Article], count: int, progress: Callable[[int], None]) -> Collected:
    """Articles for `count` passages: the real ones, then ones with the words of two real ones."""
    made, left, number = Collected(), count, 0
    words = [words_of(article) for article in articles]
    kinds = [[kind for kind, _ in passages(article)] for article in articles]
    draw = random.Random(SEED)
    while left:
        one = number if number < len(articles) else draw.randrange(len(articles))
        terms: Any = words[one]
        if number >= len(articles):
            other = words[draw.randrange(len(words))]
            terms = [
                (field, own[: len(own) // 2] + others[len(others) // 2 :])
                for (field, own), (_, others) in zip(words[one], other, strict=True)
            ]
        own_kinds = kinds[one][:left]
        article = Article(f"a{number}", articles[one].title, "", ())
        made.add(article, Evidence(), own_kinds, terms)
        left -= len(own_kinds)
        progress(len(own_kinds))
        number += 1
    return made


def searched(folder: Path) -> dict[str, Any]:
    """Load and search one index, in this process alone."""
    one_core()
    texts, queries = asked_of(folder)
    encoder = load_encoder(SERVED)
    for text in texts[:WARM]:
        encoder.encode([text])
    before, begun = resident(), time.perf_counter()
    manifest = read_manifest(folder)
    bundle = load(folder, manifest["model_id"], manifest["dimension"])
    finder = Finder(bundle, Known(bundle.model_id, texts, queries))
    loaded, timed = time.perf_counter() - begun, Timed(encoder)
    for text in texts[:WARM]:  # what is allowed in a language is worked out once
        finder.rank(Query((), text, "en"))
    for text in texts:
        timed.ask(text, partial(finder.rank, Query((), text, "en")))
    allowed, hits = bundle.allowed("en").passages, 0
    for query, best in zip(queries, np.load(folder.parent / "exact.npy"), strict=True):
        found = bundle.vectors.candidates(query, NEAREST, allowed)  # what the finder looks at
        hits += len(set(found.tolist()) & set(best.tolist()))
    return {
        "build": "ours",
        **held(resident() - before, len(bundle.owners), loaded),
        **timed.milliseconds(),
        "recall@10": hits / (10 * len(texts)),
    }


def main() -> int:
    """The program's status."""
    parser = argparse.ArgumentParser(prog="python -m bench.index", description=__doc__)
    parser.add_argument("sets", nargs="?", default=os.environ.get("SETS"), help="folder of judged sets (default: SETS)")
    parser.add_argument(
        "--sizes", default="100k,1m", help="numbers of passages beside the real ones (default: %(default)s)"
    )
    parser.add_argument("--kept", type=Path, default=KEPT, help="where vectors are kept (default: %(default)s)")
    parser.add_argument("--search", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.search:
        print(json.dumps(searched(Path(options.search))))
        return 0
    if not options.sets or not Path(options.sets).is_dir():
        parser.error("name the folder of the sets: python -m bench.index FOLDER, or SETS=FOLDER make bench-index")
    sizes = [int(size.lower().replace("k", "000").replace("m", "000000")) for size in options.sizes.split(",")]
    out, load = Console(width=140), os.getloadavg()[0]
    articles, texts = real(Path(options.sets), ARTICLES)
    encoder = OnnxEncoder(threads=2)
    pieces = [text for article in articles for _, text in passages(article)]
    begun = time.perf_counter()
    encoder.encode(pieces[:RATE_OF])
    rate = min(RATE_OF, len(pieces)) / (time.perf_counter() - begun)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("encoding what was not kept", total=len(pieces))
        vectors = KeptEncoder(encoder, options.kept, lambda more: bar.advance(task, more)).encode(pieces)
    out.print(
        f"{len(pieces):,} passages of {len(articles):,} real articles encoded in full; {rate:.1f} a second on two "
        f"cores (over {RATE_OF}): a million take {1e6 / rate / 3600:.0f} hours"
    )
    asked = np.stack([encoder.encode([text])[0] for text in texts])
    cosines = neighbour_cosines(vectors)
    table = Table(title="one core, milliseconds a query; beyond the first size, vectors are real ones moved")
    for name in COLUMNS:
        table.add_column(name, justify="right")
    with tempfile.TemporaryDirectory(prefix="offhold-bench-") as folder:
        for size in (len(pieces), *sizes):
            root = Path(folder) / str(size)
            root.mkdir()
            np.save(root / "queries.npy", asked)
            (root / "queries.json").write_text(json.dumps(texts), "utf-8")
            begun = time.perf_counter()
            version = built(root, articles, vectors, cosines, size, encoder.model_id)
            built_s = time.perf_counter() - begun
            for plain in (True, False):
                found = {"passages": f"{size:,}", **measured(root / version, plain)}
                found["build s"] = "" if plain else f"{built_s:,.0f}"
                table.add_row(*(shown(name, found[name]) for name in COLUMNS))
            shutil.rmtree(root)
    out.print(table)
    out.print(f"other work on this machine: a load of {load:.1f} before, {os.getloadavg()[0]:.1f} now")
    return 0


def built(root: Path, articles: list[Article], vectors: Vectors, cosines: Vectors, size: int, model_id: str) -> str:
    """Build an index of `size` passages; its version."""
    bar = Progress(*Progress.get_default_columns(), TimeElapsedColumn(), console=Console(stderr=True), transient=True)
    with bar:
        task = bar.add_task(f"{size:,} passages: words, vectors, lists", total=3 * size)

        def more(done: int) -> None:
            bar.advance(task, done)

        words = collected(articles, size, more)
        parts = []
        for part in moved(vectors, cosines, size):
            parts.append(part)
            more(len(part))
        return write(root, words, parts, model_id, progress=more)


def measured(folder: Path, plain: bool) -> dict[str, Any]:
    """What a process of its own found out about an index."""
    beside = Path(".venv-models/bin/python")  # with sentence-transformers
    python = str(beside) if plain and beside.exists() else sys.executable
    command = [python, "-m", *(["bench.plain"] if plain else ["bench.index", "--search"]), str(folder)]
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    found: dict[str, Any] = json.loads(subprocess.check_output(command, env=alone).splitlines()[-1])
    return found


def shown(name: str, value: Any) -> str:
    """A cell of the table."""
    if isinstance(value, str):
        return value
    return f"{value:.3f}" if name == "recall@10" else f"{value:,.0f}" if name in WHOLE_NUMBERS else f"{value:,.1f}"


if __name__ == "__main__":
    sys.exit(main())
