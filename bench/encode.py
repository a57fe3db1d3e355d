"""How fast the encoder is here: python -m bench.encode [--encoder KIND] [--threads N]. Prints a table.

Texts are made of random words of the model's everyday vocabulary; only their lengths matter.
"""

import argparse
import random
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from search.encoder import Encoder, load_encoder

WORDS = (
    "router light red slow internet evening phone signal bill charged twice month e-mail messages gone update "
    "password box remote screen black restart wait cable plug support answer setting account number reset"
)


def sentence(words: int, draw: random.Random) -> str:
    """A text of so many words, never the same twice."""
    return " ".join(draw.choice(WORDS.split()) for _ in range(words))


def query_ms(encoder: Encoder, words: int, times: int) -> list[float]:
    """Milliseconds of each of so many single queries, sorted."""
    draw = random.Random(words)
    taken = []
    for _ in range(times):
        text = sentence(words, draw)
        began = time.perf_counter()
        encoder.encode([text])
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)


def texts_per_s(encoder: Encoder, words: int, texts: int) -> float:
    """Texts a second when many are given at once."""
    draw = random.Random(words)
    batch = [sentence(words, draw) for _ in range(texts)]
    began = time.perf_counter()
    encoder.encode(batch)
    return texts / (time.perf_counter() - began)


def resident_mb() -> int:
    """Memory this process holds, on Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 1_000_000


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--encoder", default="onnx-fast")
    options.add_argument("--threads", type=int, default=2, help="cores for many texts at once")
    given = options.parse_args()
    began = time.perf_counter()
    encoder = load_encoder(given.encoder, threads=given.threads)
    encoder.encode(["warm"])
    table = Table(title=f"{given.encoder}, loaded in {time.perf_counter() - began:.2f} s")
    for column in ("words", "query p50 ms", "query p99 ms", f"texts/s, {given.threads} cores"):
        table.add_column(column, justify="right")
    for words, texts in ((8, 256), (30, 128), (200, 48)):
        single = query_ms(encoder, words, 100)
        many = texts_per_s(encoder, words, texts)
        table.add_row(str(words), f"{single[50]:.1f}", f"{single[98]:.1f}", f"{many:.0f}")
    Console().print(table, f"resident: {resident_mb()} MB")


if __name__ == "__main__":
    main()
