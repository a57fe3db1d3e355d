"""The encoder learns a community: what it learns is served without torch, and a run that ruins it is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from search.__main__ import main
from search.article import Answer, Article
from search.encoder import DEFAULT_MODEL, EncoderError, load_encoder
from search.tuning.export import ExportError, export
from search.tuning.network import Network
from search.tuning.noise import Telephone
from search.tuning.pairs import Pair, asked
from search.tuning.train import Recipe, Stopped, train
from search.tuning.tune import TooFew, plan, tune

# A trade whose askers and helpers have different words for the same thing: nobody could know these beforehand.
ASKED = [
    "kestrel",
    "harbour",
    "violin",
    "lantern",
    "orchid",
    "walnut",
    "saddle",
    "glacier",
    "pepper",
    "anchor",
    "marble",
    "thimble",
    "cactus",
    "falcon",
]
GIVEN = [
    "turbine",
    "ledger",
    "compass",
    "blanket",
    "quarry",
    "siphon",
    "beacon",
    "trellis",
    "gasket",
    "mortar",
    "pulley",
    "rudder",
    "socket",
    "furnace",
]
WRONG = ("stopped", "is stuck", "makes noise", "smells", "came loose", "is hot", "will not move")
QUICK = Recipe(learning_rate=5e-4, epochs=1, batch=32)


def community() -> list[Article]:
    """630 threads: two things and what is wrong with one; the answer says it in the helpers' words."""
    return [
        Article(
            id=f"{one}-{other}-{way}",
            title=f"{ASKED[one]} and {ASKED[other]}",
            question=f"my {ASKED[one]} {said} with the {ASKED[other]}",
            answers=(Answer(f"Check the {GIVEN[one]}, then the {GIVEN[other]}. Case {way}.", accepted=True),),
        )
        for one, other in permutations(range(len(ASKED)), 2)
        for way, said in enumerate(WRONG)
    ]


def file_of(articles: list[Article], path: Path) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for one in articles:
            answers = [{"text": answer.text, "accepted": answer.accepted} for answer in one.answers]
            record = {"id": one.id, "title": one.title, "question": one.question, "answers": answers}
            file.write(json.dumps(record) + "\n")
    return path


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that won."""
    out = tmp_path_factory.mktemp("tuned") / "model"
    result = tune(plan(community()), out, 600, recipe=QUICK)
    assert result.low > 0.05
    return out


def test_a_model_that_won_is_served_without_torch_and_finds_what_the_base_does_not(tuned: Path) -> None:
    right = {}
    for model in (DEFAULT_MODEL, str(tuned)):
        encoder = load_encoder("onnx", model)
        asked_for = encoder.encode([f"my {word} is stuck" for word in ASKED])
        nearest = (asked_for @ encoder.encode([f"Check the {word}." for word in GIVEN]).T).argmax(axis=1)
        right[model] = int((nearest == np.arange(len(ASKED))).sum())
    assert right[str(tuned)] >= right[DEFAULT_MODEL] + 4


def test_a_tuned_model_has_an_id_of_its_own_and_a_changed_file_is_refused(tuned: Path) -> None:
    card = json.loads((tuned / "model.json").read_text("utf-8"))
    assert (
        load_encoder("onnx", str(tuned)).model_id
        == card["model_id"]
        == f"{DEFAULT_MODEL}+{card['sha256']['model.onnx'][:12]}"
    )
    assert card["comparison"]["low"] > 0
    network = (tuned / "model.onnx").read_bytes()
    try:
        (tuned / "model.onnx").write_bytes(network[:-1] + bytes([network[-1] ^ 1]))
        with pytest.raises(EncoderError, match=r"model\.onnx is damaged"):
            load_encoder("onnx", str(tuned))
    finally:
        (tuned / "model.onnx").write_bytes(network)


def test_a_run_whose_learning_rate_destroys_the_model_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    articles = file_of(community(), tmp_path / "articles.jsonl")
    given = ["tune", str(articles), "--out", str(tmp_path / "model"), "--epochs", "1", "--learning-rate", "0.5"]
    assert main(given) == 1
    assert "thrown away" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [articles]


def trained(checkpoint: Path, stop_after: int) -> dict[str, np.ndarray]:
    """The weights after an epoch over 96 pairs; stopped after so many steps and taken up again."""
    pairs = [Pair(asked(one), one.answers[0].text, place, place) for place, one in enumerate(community()[:96])]
    steps = 0

    def told(share: float, loss: float) -> None:
        nonlocal steps
        steps += 1

    network = Network(threads=1)
    recipe = Recipe(epochs=2, batch=32)
    near = np.empty((96, 0), dtype=np.int64)
    line = Telephone([])
    try:
        train(network, pairs, near, line, recipe, 1e6, checkpoint, run="r", stop=lambda: steps == stop_after, told=told)
    except Stopped:
        network = Network(threads=1)
        train(network, pairs, near, line, recipe, 1e6, checkpoint, run="r", told=told)
    assert steps == 6
    return {name: value.detach().numpy().copy() for name, value in network.learnt().items()}


def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole.pt", stop_after=-1)
    parts = trained(tmp_path / "parts.pt", stop_after=4)
    assert max(float(np.abs(whole[name] - parts[name]).max()) for name in whole) < 1e-5
    base = Network(threads=1).learnt()
    assert max(float(np.abs(whole[name] - base[name].detach().numpy()).max()) for name in whole) > 1e-4


def test_a_checkpoint_of_other_threads_is_not_taken_up(tmp_path: Path) -> None:
    trained(tmp_path / "run.pt", stop_after=-1)
    network = Network(threads=1)
    pairs = [Pair("my printer", "press the button", 0, 0), Pair("my screen", "turn it on", 1, 1)]
    at = train(
        network,
        pairs,
        np.empty((2, 0), dtype=np.int64),
        Telephone([]),
        Recipe(epochs=1),
        1e6,
        tmp_path / "run.pt",
        run="s",
    )
    assert at.step == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_leaves_what_it_needs_to_go_on(tmp_path: Path, number: signal.Signals) -> None:
    articles = file_of(community(), tmp_path / "articles.jsonl")
    command = [sys.executable, "-u", "-m", "search", "tune", str(articles), "--out", str(tmp_path / "model")]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    assert run.stdout is not None
    assert "held back" in run.stdout.readline()
    while not list(tmp_path.glob("model.unfinished/base-*.npz")):
        assert run.poll() is None
        time.sleep(0.05)
    run.send_signal(number)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 130
    assert "goes on from there" in said
    assert not (tmp_path / "model").exists()
    assert (tmp_path / "model.unfinished" / "checkpoint.pt").exists()


def test_an_export_that_strays_from_the_trained_model_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.tuning.export.LEAST_COSINE", 1.1)
    with pytest.raises(ExportError, match="strays"):
        export(Network(), tmp_path / "model", {}, ["no internet"])
    assert list(tmp_path.iterdir()) == []


def test_the_export_gives_torchs_vectors_for_texts_of_all_lengths(tmp_path: Path) -> None:
    network = Network()
    texts = ["a", "no internet", "the light is red " * 5, "my mail is gone " * 30]
    export(network, tmp_path / "model", {}, texts)
    served = load_encoder("onnx", str(tmp_path / "model")).encode(texts)
    np.testing.assert_allclose(served[:3], network.vectors(texts[:3], exact=True), atol=1e-3)


def test_a_small_community_is_told_what_is_missing() -> None:
    with pytest.raises(TooFew, match="at least 50 are needed"):
        plan(community()[:40])
