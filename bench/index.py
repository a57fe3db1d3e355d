"""`python -m bench.index SETS`: the search index of ten thousand real articles, of 100 thousand and a million passages.

The real articles are encoded in full (vectors are kept for the next time) and the rate is told. The larger sizes are
made of these:
each further vector is a real one moved as far as that one's nearest neighbour lies (its own cosine is kept), and its
article's words are those of two real articles mixed. Every size is searched in a process of its own, on one core,
by the very finder that calls use, all but the encoder, beside a plain build: the same vectors in FAISS's IndexFlatIP
with a list of ids.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from search.article import Article
from search.bundle import Collected, Evidence, passages, words_of
from search.encoder import OnnxEncoder
from search.evaluation.kept import KeptEncoder
from search.evaluation.options import KEPT
from search.finder import Finder, says_something
from search.importing import ImportReport, read_articles
from search.index import load, read_manifest, write
from search.query import Query
from search.ranking import NEAREST

Vectors = npt.NDArray[np.float32]
SEED = 1
QUERIES = 300
ARTICLES = 10_000
RATE_OF = 512  # passages encoded to tell the rate
BLOCK = 20_000
_faiss: Any = faiss


def real(sets: Path, wanted: int) -> tuple[list[Article], list[str]]:
    """`wanted` articles of several sets, mixed, and questions of callers."""
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
    return found[:wanted], [text for text in texts if says_something(text)][:QUERIES]


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


def collected(articles: list[Article], count: int) -> Collected:
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
        number += 1
    return made


def resident() -> int:
    """Bytes this process holds in memory, shared pages among them (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def searched(folder: Path, plain: bool) -> dict[str, float]:
    """Load and search one index, in this process alone."""
    queries: Vectors = np.load(folder.parent / "queries.npy")
    texts: list[str] = json.loads((folder.parent / "queries.json").read_text("utf-8"))
    faiss.omp_set_num_threads(1)
    before, begun = resident(), time.perf_counter()
    times: list[float] = []
    rows: list[npt.NDArray[np.int64]] = []
    if plain:
        stored = np.load(folder / "vectors.npy", mmap_mode="r")
        flat = _faiss.IndexFlatIP(stored.shape[1])
        for start in range(0, len(stored), BLOCK):
            flat.add(stored[start : start + BLOCK].astype(np.float32))
        ids = [f"a{number}" for number in range(len(stored))]
        loaded, count = time.perf_counter() - begun, len(stored)
        for query in queries:
            begun = time.perf_counter()
            near = flat.search(query[None], 10)[1][0]
            _ = [ids[row] for row in near]
            times.append(time.perf_counter() - begun)
            rows.append(near)
        np.save(folder.parent / "exact.npy", np.array(rows))
        recall = 1.0
    else:
        manifest = read_manifest(folder)
        bundle = load(folder, manifest["model_id"], manifest["dimension"])
        finder = Finder(bundle, Known(bundle.model_id, texts, queries))
        loaded, count = time.perf_counter() - begun, len(bundle.owners)
        finder.rank(Query((), texts[0], "en"))  # what is allowed in a language is worked out once
        for query, text in zip(queries, texts, strict=True):
            begun = time.perf_counter()
            finder.rank(Query((), text, "en"))
            times.append(time.perf_counter() - begun)
            rows.append(bundle.vectors.search(query, NEAREST, bundle.allowed("en").passages).rows[:10])
        exact = np.load(folder.parent / "exact.npy")
        hits = [len(set(one.tolist()) & set(best.tolist())) for one, best in zip(rows, exact, strict=True)]
        recall = sum(hits) / exact.size
    held = resident() - before
    return {
        "load s": loaded,
        "resident MB": held / 1e6,
        "bytes/passage": held / count,
        "p50 ms": float(np.percentile(times, 50)) * 1000,
        "p99 ms": float(np.percentile(times, 99)) * 1000,
        "recall@10": recall,
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
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.search:
        print(json.dumps(searched(Path(options.search), options.plain)))
        return 0
    if not options.sets or not Path(options.sets).is_dir():
        parser.error("name the folder of the sets: python -m bench.index FOLDER, or SETS=FOLDER make bench-index")
    sizes = [int(size.lower().replace("k", "000").replace("m", "000000")) for size in options.sizes.split(",")]
    out = Console(width=120)
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
    sizes = [len(pieces), *sizes]
    single = OnnxEncoder(threads=1)
    asked, times = [], []
    for text in texts:
        begun = time.perf_counter()
        asked.append(single.encode([text])[0])
        times.append(time.perf_counter() - begun)
    p50, p99 = np.percentile(times, [50, 99]) * 1000
    out.print(f"the encoder alone, a query: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    table = Table(title="one core, without the encoder; beyond the first size, vectors are real ones moved")
    names = ("passages", "build", "build s", "load s", "resident MB", "bytes/passage", "p50 ms", "p99 ms", "recall@10")
    for name in names:
        table.add_column(name, justify="right")
    cosines = neighbour_cosines(vectors)
    with tempfile.TemporaryDirectory(prefix="offhold-bench-") as folder:
        for size in sizes:
            root = Path(folder) / str(size)
            root.mkdir()
            np.save(root / "queries.npy", np.array(asked))
            (root / "queries.json").write_text(json.dumps(texts), "utf-8")
            begun = time.perf_counter()
            version = write(root, collected(articles, size), list(moved(vectors, cosines, size)), encoder.model_id)
            built_s = time.perf_counter() - begun
            for kind in ("--plain", ""):
                command = [sys.executable, "-m", "bench.index", "--search", str(root / version)]
                command += [kind] if kind else []
                found = json.loads(subprocess.check_output(command))
                values = [f"{found[name]:,.3f}" if name == "recall@10" else f"{found[name]:,.1f}" for name in names[3:]]
                table.add_row(f"{size:,}", "plain" if kind else "ours", "" if kind else f"{built_s:,.0f}", *values)
    out.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
