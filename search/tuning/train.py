"""The training loop: in-batch negatives that are near one another, stopped and taken up again at any step."""

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.encoder import Vectors, clean
from search.tuning.network import Network
from search.tuning.noise import Telephone
from search.tuning.pairs import Pair

NEIGHBOURS = range(5, 30)  # whose answers are wrong though near; the first few are too often right
AROUND = 3  # neighbours that follow each pair into its batch
SECONDS_PER_SAVE = 60.0
WANTED_TOKENS = 96  # of an answer while training: most say in that what they have to say


@dataclass(frozen=True)
class Recipe:
    """What a run is made with. `scale` is 1/temperature of the softmax over a batch."""

    learning_rate: float = 5e-5
    epochs: int = 2
    batch: int = 64
    scale: float = 20.0
    warm_up: float = 0.1
    seed: int = 1


@dataclass
class Progress:
    """How far a run has come."""

    step: int = 0
    seconds: float = 0.0


class Stopped(RuntimeError):
    """The run was asked to stop; what it had learnt is on disk and the same command goes on from there."""


def train(
    network: Network,
    pairs: Sequence[Pair],
    near: npt.NDArray[np.int64],
    line: Telephone,
    recipe: Recipe,
    seconds: float,
    checkpoint: Path,
    *,
    run: str,
    stop: Callable[[], bool] = lambda: False,
    told: Callable[[float, float], None] = lambda share, loss: None,
) -> Progress:
    """Train `network` in place until the epochs or the `seconds` are over; how far it came.

    `near[thread]` are neighbouring threads. `run` names the inputs: a checkpoint of another
    run is not taken up. The chance of a step comes from its number alone, so a run that was stopped ends
    with the same weights as one that was not. Raises `Stopped` when `stop()` says so, the checkpoint saved.
    """
    torch = network.torch
    moved = network.learnt()
    optimiser = torch.optim.AdamW(moved.values(), lr=recipe.learning_rate, weight_decay=0.01)
    run = json.dumps([run, asdict(recipe), len(pairs)])
    at = _resume(torch, checkpoint, run, moved, optimiser)
    per_epoch = -(-len(pairs) // recipe.batch)
    total = per_epoch * recipe.epochs
    began = saved = time.monotonic() - at.seconds
    epoch, batches = -1, list[list[int]]()
    while at.step < total and at.seconds < seconds:
        if at.step // per_epoch != epoch:
            epoch = at.step // per_epoch
            batches = batches_of(pairs, near, recipe.batch, recipe.seed * 1000 + epoch)
        # Whichever of steps and time ends first sets how far the rate has come down.
        share = max((at.step + 1) / (total + 1), at.seconds / seconds)
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * min(share / recipe.warm_up, 1 - share)
        loss = _step(
            network, optimiser, [pairs[place] for place in batches[at.step % per_epoch]], line, recipe, at.step
        )
        at.step += 1
        at.seconds = time.monotonic() - began
        told(max(at.step / total, at.seconds / seconds), loss)
        stopping = stop()
        if stopping or time.monotonic() - saved > SECONDS_PER_SAVE:
            _save(torch, checkpoint, run, at, moved, optimiser)
            saved = time.monotonic()
        if stopping:
            raise Stopped
    _save(torch, checkpoint, run, at, moved, optimiser)
    return at


def batches_of(pairs: Sequence[Pair], near: npt.NDArray[np.int64], size: int, seed: int) -> list[list[int]]:
    """Every pair once, in batches in which each drawn pair is followed by pairs of neighbouring threads:
    the texts the index confuses are each other's wrong answers, which costs no further texts."""
    chance = random.Random(seed)
    of_thread: dict[int, list[int]] = {}
    for place, pair in enumerate(pairs):
        of_thread.setdefault(pair.thread, []).append(place)
    for own in of_thread.values():
        chance.shuffle(own)
    order = list(range(len(pairs)))
    chance.shuffle(order)
    used = bytearray(len(pairs))
    line: list[int] = []
    for drawn in order:
        if used[drawn]:
            continue
        used[drawn] = 1
        line.append(drawn)
        neighbours = [int(thread) for thread in near[pairs[drawn].thread]]
        chance.shuffle(neighbours)
        left = AROUND
        for thread in neighbours:
            free = [place for place in of_thread.get(thread, ()) if not used[place]]
            if free and left:
                used[free[0]] = 1
                line.append(free[0])
                left -= 1
    return [line[start : start + size] for start in range(0, len(line), size)]


def neighbours(questions: Vectors, own_group: Sequence[int]) -> npt.NDArray[np.int64]:
    """Per thread the threads at the places NEIGHBOURS by the likeness of their questions, no near-duplicate."""
    groups = np.asarray(own_group)
    width = min(NEIGHBOURS.stop, len(questions) - 1)
    found = np.empty((len(questions), max(0, width - min(NEIGHBOURS.start, width))), dtype=np.int64)
    for start in range(0, len(questions), 512):
        rows = slice(start, start + 512)
        scores = questions[rows] @ questions.T
        scores[groups[rows][:, None] == groups] = -2.0
        nearest = np.argsort(-scores, axis=1)[:, :width]
        found[rows] = nearest[:, min(NEIGHBOURS.start, width) :]
    return found


def _step(network: Network, optimiser: Any, batch: list[Pair], line: Telephone, recipe: Recipe, step: int) -> float:
    """One step of multiple-negatives ranking: each asked text must find its own wanted one in the batch."""
    torch = network.torch
    torch.manual_seed(recipe.seed * 1_000_003 + step)
    chance = random.Random(recipe.seed * 1_000_003 + step)
    network.model.train()
    asked = [network.tokenizer.encode(clean(line.hear(pair.asked, chance))).ids for pair in batch]
    wanted = [network.tokenizer.encode(clean(pair.wanted)).ids[:WANTED_TOKENS] for pair in batch]
    scores = recipe.scale * network.embed(asked) @ network.embed(wanted).T
    groups = torch.tensor([pair.group for pair in batch])
    same = (groups[:, None] == groups) | torch.tensor([[one == other for other in wanted] for one in wanted])
    same.fill_diagonal_(False)
    loss = torch.nn.functional.cross_entropy(scores.masked_fill(same, -1e4), torch.arange(len(batch)))
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.learnt().values(), 1.0)
    optimiser.step()
    return float(loss.detach())


def _save(torch: Any, path: Path, run: str, at: Progress, moved: dict[str, Any], optimiser: Any) -> None:
    """Whole or not at all: written beside, then renamed."""
    draft = path.with_suffix(".draft")
    state = {"run": run, "at": asdict(at), "weights": moved, "optimiser": optimiser.state_dict()}
    torch.save(state, draft)
    draft.replace(path)


def _resume(torch: Any, path: Path, run: str, moved: dict[str, Any], optimiser: Any) -> Progress:
    """Load a checkpoint of this very run, if there is one."""
    if not path.exists():
        return Progress()
    state = torch.load(path, weights_only=True)
    if state["run"] != run:
        return Progress()
    with torch.no_grad():
        for name, value in moved.items():
            value.copy_(state["weights"][name])
    optimiser.load_state_dict(state["optimiser"])
    return Progress(**state["at"])
