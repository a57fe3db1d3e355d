"""The MiniLM network with its large products in int8 arithmetic, made of the weights of the exact one.

Weights are int8, one scale a column, as the packaged model has them. What they are multiplied with is brought to
uint8 while running. Into the two products of the feed-forward part each word goes with a scale of its own: there
a few words reach ten times as far as all others, and one scale for all would leave the others four bits. Before
the second of them nothing lies below GELU's minimum, so its range is taken from there. (docs/decisions/0017)

One text at a time goes through: one scale for several texts would let them change each other's vectors.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from search import onnx_file
from search.onnx_file import Node, OnnxFileError, Tensor

Numbers = npt.NDArray[np.float32]

LAYERS, HEADS, TOKENS = 6, 12, 256
EPSILON = 1e-12
GELU_FLOOR = np.float32(0.17)  # GELU's minimum is -0.16997
OWN = "com.microsoft"
NORM = "embeddings.LayerNorm.bias"
READS, MAKES = "input_ids", "hidden"


def fast_network(model: bytes) -> bytes:
    """An ONNX model of `input_ids` (1, tokens) to the last layer (1, tokens, dimension), of the weights of `model`, a
    MiniLM of six layers as PyTorch exports it. Raises `OnnxFileError`."""
    weights, nodes = onnx_file.read(model)
    return _Drawing(_named(weights, nodes)).drawn()


def _named(weights: dict[str, Tensor], nodes: list[Node]) -> Callable[[str], Numbers]:
    """Weights by PyTorch's names. Those of a product have no name of their own in the file: the bias added to it has.
    They may be stored as float16, or as int8 with scales."""
    makers = {node.outputs[0]: node for node in nodes if node.outputs}
    inner = {}
    for node in nodes:
        for product, bias in (node.inputs, node.inputs[::-1]) if node.kind == "Add" else ():
            if bias.endswith(".bias") and product in makers and makers[product].kind == "MatMul":
                inner[bias.removesuffix("bias") + "weight"] = makers[product].inputs[1]
    known = {**weights, **{name.removesuffix("_half"): one for name, one in weights.items()}}
    for name, one in weights.items():
        if name.endswith("_q") and (scale := weights.get(f"{name[:-2]}_scale")) is not None:
            known[name[:-2]] = one.astype(np.float32) * scale
    prefix = next((name.removesuffix(NORM) for name in known if name.endswith(NORM)), "")

    def weight(name: str) -> Numbers:
        found = known.get(inner.get(prefix + name, prefix + name))
        if found is None:
            raise OnnxFileError(f"the model has no {name}")
        return np.asarray(found, dtype=np.float32)

    return weight


def _int8(weight: Numbers, axis: int) -> tuple[Tensor, Numbers]:
    """Weights as int8, and the scales they are to be multiplied with: one for all that differ in `axis` only."""
    scales = np.maximum(np.abs(weight).max(axis=axis, keepdims=True), np.float32(1e-12)) / np.float32(127)
    return np.rint(weight / scales).astype(np.int8), scales


class _Drawing:
    """The operations and weights of the network, put down one after the other. Each method returns the name of what
    its last operation makes."""

    def __init__(self, weight: Callable[[str], Numbers]) -> None:
        self._weight = weight
        self._nodes: list[Node] = []
        self._weights: dict[str, Tensor] = {
            "first": np.array([0]),
            "word zero": np.array(128, np.uint8),
            "word scale": np.array(1 / 127, np.float32),
            "gelu zero": np.array(0, np.uint8),
            "gelu scale": np.array(1 / 255, np.float32),
            "gelu floor": np.array([GELU_FLOOR]),
        }

    def drawn(self) -> bytes:
        """The whole model."""
        words = self._embeddings()
        for layer in range(LAYERS):
            words = self._layer(f"encoder.layer.{layer}.", words)
        self._nodes.append(Node("Identity", [words], [MAKES]))
        return onnx_file.write(self._nodes, self._weights, READS, MAKES)

    def _embeddings(self) -> str:
        table, scales = _int8(self._weight("embeddings.word_embeddings.weight"), 1)
        places = self._weight("embeddings.position_embeddings.weight")[:TOKENS]
        places = places + self._weight("embeddings.token_type_embeddings.weight")[0]
        rows = self._do("Gather", self._keep("words", table), READS)
        rows = self._do("Cast", rows, to=1)
        rows = self._do("Mul", rows, self._do("Gather", self._keep("word scales", scales), READS))
        length = self._do("Shape", READS, start=1, end=2)
        places_used = self._do("Slice", self._keep("places", places), "first", length, "first")
        return self._normed("embeddings.LayerNorm", self._do("Add", rows, places_used))

    def _layer(self, name: str, words: str) -> str:
        own = [f"{name}attention.self.{one}" for one in ("query", "key", "value")]
        weight = np.concatenate([self._weight(f"{one}.weight") for one in own], axis=1)
        bias = np.concatenate([self._weight(f"{one}.bias") for one in own])
        three = [f"{name}{one}" for one in ("query", "key", "value")]
        self._nodes.append(Node("Split", [self._product(own[0], words, weight, bias)], three, attributes={"axis": 2}))
        heard = self._do("MultiHeadAttention", *three, domain=OWN, num_heads=HEADS)
        out = f"{name}attention.output.dense"
        heard = self._product(out, heard, self._weight(f"{out}.weight"), self._weight(f"{out}.bias"))
        words = self._normed(f"{name}attention.output.LayerNorm", self._do("Add", heard, words))
        thought = self._thought(f"{name}intermediate.dense", f"{name}output.dense", words)
        return self._normed(f"{name}output.LayerNorm", self._do("Add", thought, words))

    def _product(self, name: str, words: str, weight: Numbers, bias: Numbers) -> str:
        """A product with one scale for all words."""
        table, scales = _int8(weight, 0)
        columns = np.zeros(weight.shape[1], np.int8)
        parts = [self._keep(f"{name} table", table), self._keep(f"{name} scales", scales[0])]
        parts += [self._keep(f"{name} zeros", columns), self._keep(f"{name} bias", bias)]
        return self._do("DynamicQuantizeMatMul", words, *parts, domain=OWN)

    def _thought(self, first: str, second: str, words: str) -> str:
        """The feed-forward part: two products with a scale for each word, GELU between them."""
        reach = self._do("ReduceMax", self._do("Abs", words), axes=[-1], keepdims=1)
        inner = self._product_by_word(first, self._do("Div", words, reach), reach, "word")
        inner = self._do("BiasGelu", inner, self._keep(f"{first} bias", self._weight(f"{first}.bias")), domain=OWN)
        reach = self._do("Add", self._do("ReduceMax", inner, axes=[-1], keepdims=1), "gelu floor")
        inner = self._do("Div", self._do("Add", inner, "gelu floor"), reach)
        outer = self._product_by_word(second, inner, reach, "gelu")
        bias = self._weight(f"{second}.bias") - GELU_FLOOR * self._weight(f"{second}.weight").sum(axis=0)
        return self._do("Add", outer, self._keep(f"{second} bias", bias))

    def _product_by_word(self, name: str, words: str, reach: str, kind: str) -> str:
        """A product of words that were divided by their reach."""
        table, scales = _int8(self._weight(f"{name}.weight"), 0)
        table_name, scales_name = self._keep(f"{name} table", table), self._keep(f"{name} scales", scales[0])
        scale, zero = f"{kind} scale", f"{kind} zero"
        rounded = self._do("QuantizeLinear", words, scale, zero)
        own_zero = self._keep(f"{name} zero", np.zeros(1, np.int8))  # the runtime rewrites it: none may share it
        parts = (rounded, table_name, scale, scales_name, zero, own_zero)
        return self._do("Mul", self._do("MatMulIntegerToFloat", *parts, domain=OWN), reach)

    def _normed(self, name: str, words: str) -> str:
        parts = [self._keep(f"{name} {one}", self._weight(f"{name}.{one}")) for one in ("weight", "bias")]
        return self._do("LayerNormalization", words, *parts, epsilon=EPSILON)

    def _keep(self, name: str, weight: Tensor) -> str:
        self._weights[name] = np.ascontiguousarray(weight)
        return name

    def _do(self, kind: str, *inputs: str, domain: str = "", **attributes: int | float | list[int]) -> str:
        made = f"{kind} {len(self._nodes)}"
        self._nodes.append(Node(kind, inputs, [made], domain, attributes))
        return made
