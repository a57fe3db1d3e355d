"""What a load did to the service: its own counters, its memory by the second, and the picture of it."""

import contextlib
import json
import math
import re
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SAMPLE_S = 1.0
_SERIES = re.compile(r"^(\w+)(?:\{([^}]*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
WIDTH, HEIGHT, LEFT, GAP = 860, 190, 60, 46
COLOURS = ("#1f6feb", "#d1603d", "#2e7d32", "#7b4fb5")


def counters(port: int) -> Counter[str]:
    """The service's counters of what was left out, over all processes: "shed search", "degraded shed" and so on."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        page = answer.read().decode()
    found: Counter[str] = Counter()
    for name, labels, value in _SERIES.findall(page):
        said = dict(_LABEL.findall(labels))
        if name == "offhold_shed_total":
            found[f"shed {said['what']}"] += int(float(value))
        elif name == "offhold_voice_degraded_total":
            found[f"degraded {said['reason']}"] += int(float(value))
        elif name == "offhold_texts_total":
            found[f"texts {said['outcome']}"] += int(float(value))
    return found


def levels(log: Path, since: int) -> list[tuple[str, str]]:
    """What the service said it left out, and when, from that byte of its log on."""
    found = []
    with log.open("rb") as lines:
        lines.seek(since)
        for line in lines:
            if b"left_out" in line:
                with contextlib.suppress(ValueError, KeyError):
                    told = json.loads(line)
                    found.append((str(told["timestamp"]), str(told["what"])))
    return found


@dataclass
class Memory:
    """Resident bytes of the web processes, once a second."""

    web: int  # the supervisor's process id
    begun: float = field(default_factory=time.perf_counter)
    samples: list[tuple[float, int, tuple[int, ...]]] = field(default_factory=list)  # seconds, webhooks so far, bytes

    def sample(self, webhooks: int) -> None:
        """Note how it is now."""
        resident = []
        for child in psutil.Process(self.web).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.num_threads() > 3:
                    resident.append((child.pid, child.memory_info().rss))
        sizes = tuple(size for _, size in sorted(resident))
        self.samples.append((time.perf_counter() - self.begun, webhooks, sizes))

    def slope_mb(self, warm: float = 0.33) -> float:
        """Megabytes a process gains in 10,000 webhooks: least squares over what follows the first share of them."""
        last = self.samples[-1][1]
        points = [(n, sum(rss) / len(rss) / 1e6) for _, n, rss in self.samples if n >= last * warm and rss]
        if len(points) < 2:
            return float("nan")
        mean_n = sum(n for n, _ in points) / len(points)
        mean_mb = sum(mb for _, mb in points) / len(points)
        spread = sum((n - mean_n) ** 2 for n, _ in points)
        return 10_000 * sum((n - mean_n) * (mb - mean_mb) for n, mb in points) / spread if spread else 0.0


@dataclass(frozen=True)
class Curve:
    """One line of a panel."""

    name: str
    points: list[tuple[float, float]]


def picture(path: Path, panels: list[tuple[str, list[Curve]]], marks: list[tuple[float, str]]) -> None:
    """Panels one above the other over the same seconds, as SVG; `marks` name the instants at which phases began."""
    last = max((x for _, curves in panels for curve in curves for x, _ in curve.points), default=1.0)
    drawn = [_panel(n, *panel, last, marks) for n, panel in enumerate(panels)]
    height = len(panels) * (HEIGHT + GAP) + GAP
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>{"".join(drawn)}</svg>\n',
        "utf-8",
    )


def _rounded(most: float) -> float:
    """The next round number that four equal steps lead to."""
    unit = 10.0 ** math.floor(math.log10(max(most, 1.0)))
    return next(unit * step for step in (1, 2, 4, 6, 8, 10) if unit * step >= most)


def _panel(n: int, title: str, curves: list[Curve], last: float, marks: list[tuple[float, str]]) -> str:
    top, wide = n * (HEIGHT + GAP) + GAP, WIDTH - LEFT - 20
    most = _rounded(max((y for curve in curves for _, y in curve.points), default=1.0))

    def at(x: float, y: float) -> str:
        return f"{LEFT + x / last * wide:.1f},{top + HEIGHT - y / most * HEIGHT:.1f}"

    parts = [f'<text x="{LEFT}" y="{top - 10}" font-weight="bold">{title}</text>']
    for step in range(5):
        y = most * step / 4
        where = at(0, y).split(",")[1]
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + wide}" y1="{where}" y2="{where}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{where}" text-anchor="end">{y:,.0f}</text>')
    for place, (x, name) in enumerate(marks):
        where = at(x, 0).split(",")[0]
        parts.append(f'<line x1="{where}" x2="{where}" y1="{top}" y2="{top + HEIGHT}" stroke="#999"/>')
        if n == 0:
            parts.append(f'<text x="{float(where) + 4}" y="{top + HEIGHT - 82 + 15 * place}" fill="#555">{name}</text>')
    for colour, curve in zip(COLOURS, curves, strict=False):
        points = " ".join(at(x, y) for x, y in curve.points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.3" points="{points}"/>')
    for place, (colour, curve) in enumerate(zip(COLOURS, curves, strict=False)):
        x = LEFT + wide - 150 * (len(curves) - place)
        parts.append(f'<text x="{x}" y="{top - 10}" fill="{colour}">{curve.name}</text>')
    return "".join(parts)
