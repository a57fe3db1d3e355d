"""A tuned model as a folder the default encoder serves without torch: network, tokeniser and card."""

import hashlib
import json
import logging
import os
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from search.encoder import DEFAULT_MODEL, MAX_TOKENS, TUNED_CARD, TUNED_FILES, OnnxEncoder
from search.tuning.network import Network

LEAST_COSINE = 0.999
HALVED_FROM = 1024  # weights of so many numbers are stored as float16


class ExportError(RuntimeError):
    """The exported model does not give the vectors of the trained one."""


def export(network: Network, folder: Path, comparison: Mapping[str, Any], probes: Sequence[str]) -> str:
    """Write the model to `folder`, which appears whole or not at all; its model id.

    Weights are stored as float16, arithmetic stays float32: half the size, and the vectors of `probes` are
    within LEAST_COSINE of torch's, or `ExportError` is raised.
    """
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    _write_network(network, draft / "model.onnx")
    network.tokenizer.save(str(draft / "tokenizer.json"))
    sha256 = {name: hashlib.sha256((draft / name).read_bytes()).hexdigest() for name in TUNED_FILES}
    card = {
        "model_id": f"{DEFAULT_MODEL}+{sha256['model.onnx'][:12]}",
        "dimension": int(network.model.config.hidden_size),
        "sha256": sha256,
        "comparison": dict(comparison),
    }
    (draft / TUNED_CARD).write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    least = float((OnnxEncoder(folder=draft).encode(probes) * network.vectors(probes, exact=True)).sum(axis=1).min())
    if not least >= LEAST_COSINE:
        shutil.rmtree(draft)
        raise ExportError(
            f"the exported model strays from the trained one: cosine {least:.5f}, expected {LEAST_COSINE}"
        )
    for path in draft.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    draft.rename(folder)
    return str(card["model_id"])


def _write_network(network: Network, path: Path) -> None:
    import onnx

    torch = network.torch

    class Hidden(torch.nn.Module):  # type: ignore[misc, name-defined]
        """The last layer alone; the mean over the words is the encoder's."""

        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    axes = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens", max=MAX_TOKENS)}
    ids, mask = torch.full((2, 9), 7), torch.ones((2, 9), dtype=torch.long)  # one tensor for both would be one input
    mask[1, 5:] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # torchvision, which is not wanted
        program = torch.onnx.export(
            Hidden(network.model).eval(),
            (ids, mask),
            input_names=["input_ids", "attention_mask"],
            output_names=["last_hidden_state"],
            dynamic_shapes={"input_ids": axes, "attention_mask": axes},
            dynamo=True,
            verbose=False,
        )
    model = program.model_proto
    _halve(model.graph, onnx)
    onnx.save(model, str(path))


def _halve(graph: Any, onnx: Any) -> None:
    """Every large weight as float16 and a cast, which the runtime carries out once, while loading."""
    casts = []
    for weight in graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < HALVED_FROM:
            continue
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    for place, node in enumerate(casts):
        graph.node.insert(place, node)
