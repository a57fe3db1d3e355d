"""Reading weights from an ONNX file and writing a small network as one, without the `onnx` package.

The format is Protocol Buffers; field numbers are those of onnx.proto (ONNX 1.19), only those in use here.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Tensor = npt.NDArray[Any]

TYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64, 10: np.float16}  # TensorProto.DataType
_NUMBERS = {np.dtype(kind): number for number, kind in TYPES.items()}
_IR_VERSION = 8
_OPSETS = (("", 17), ("com.microsoft", 1))


class OnnxFileError(ValueError):
    """The bytes are no ONNX file, or it lacks what was looked for."""


class Node(NamedTuple):
    """One operation: the names of what it reads and makes. Operations of ONNX Runtime's own are in `com.microsoft`."""

    kind: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    domain: str = ""
    attributes: Mapping[str, int | float | Sequence[int]] = {}


def read(model: bytes) -> tuple[dict[str, Tensor], list[Node]]:
    """The weights by name and the operations of a model. Raises `OnnxFileError`."""
    try:
        graph = next(value for field, value in _fields(memoryview(model)) if field == 7)
        weights, nodes = {}, []
        for field, value in _fields(graph):
            if field == 5:
                name, weight = _tensor(value)
                if weight is not None:
                    weights[name] = weight
            elif field == 1:
                nodes.append(_node(value))
    except (StopIteration, IndexError, ValueError, TypeError, struct.error) as error:
        raise OnnxFileError("not an ONNX file") from error
    return weights, nodes


def write(nodes: Sequence[Node], weights: Mapping[str, Tensor], reads: str, makes: str) -> bytes:
    """A model of these operations: `reads` is an int64 matrix of any shape, `makes` a float32 array of three axes."""
    graph = b"".join(_field(1, _node_bytes(node)) for node in nodes) + _field(2, b"network")
    graph += b"".join(_field(5, _tensor_bytes(name, weight)) for name, weight in weights.items())
    graph += _field(11, _value_bytes(reads, 7, 2)) + _field(12, _value_bytes(makes, 1, 3))
    opsets = b"".join(_field(8, _field(1, domain.encode()) + _number(2, version)) for domain, version in _OPSETS)
    return _number(1, _IR_VERSION) + opsets + _field(7, graph)


def _fields(message: memoryview) -> Iterator[tuple[int, Any]]:
    """(field number, value) of a message: an int, or a view of the bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        field, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield field, value
            continue
        if wire == 2:
            size, at = _varint(message, at)
        else:
            size = {1: 8, 5: 4}.get(wire, len(message))
        if at + size > len(message):
            raise OnnxFileError("a field is cut off")
        yield field, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _tensor(message: memoryview) -> tuple[str, Tensor | None]:
    """Name and value; None for a kind that is not a weight of ours, or one whose bytes lie elsewhere."""
    shape: list[int] = []
    name, kind, raw = "", 0, None
    for field, value in _fields(message):
        if field == 1:
            shape += [value] if isinstance(value, int) else _varints(value)
        elif field == 2:
            kind = value
        elif field == 8:
            name = bytes(value).decode()
        elif field == 9:
            raw = value
    if raw is None or kind not in TYPES:
        return name, None
    return name, np.frombuffer(raw, TYPES[kind]).reshape(shape)


def _varints(packed: memoryview) -> list[int]:
    at, found = 0, []
    while at < len(packed):
        value, at = _varint(packed, at)
        found.append(value)
    return found


def _node(message: memoryview) -> Node:
    inputs, outputs, kind = [], [], ""
    for field, value in _fields(message):
        if field == 1:
            inputs.append(bytes(value).decode())
        elif field == 2:
            outputs.append(bytes(value).decode())
        elif field == 4:
            kind = bytes(value).decode()
    return Node(kind, inputs, outputs)


def _encoded(value: int) -> bytes:
    value &= (1 << 64) - 1  # a negative number takes all 64 bits
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes(parts) + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _encoded(field << 3) + _encoded(value)


def _field(field: int, content: bytes) -> bytes:
    return _encoded(field << 3 | 2) + _encoded(len(content)) + content


def _tensor_bytes(name: str, weight: Tensor) -> bytes:
    shape = b"".join(_number(1, size) for size in weight.shape)
    return shape + _number(2, _NUMBERS[weight.dtype]) + _field(8, name.encode()) + _field(9, weight.tobytes())


def _node_bytes(node: Node) -> bytes:
    names = b"".join(_field(1, name.encode()) for name in node.inputs)
    names += b"".join(_field(2, name.encode()) for name in node.outputs)
    attributes = b"".join(_field(5, _attribute_bytes(name, value)) for name, value in node.attributes.items())
    names += _field(3, node.outputs[0].encode())  # without one, what the runtime makes of two operations may clash
    return names + _field(4, node.kind.encode()) + attributes + _field(7, node.domain.encode())


def _attribute_bytes(name: str, value: int | float | Sequence[int]) -> bytes:
    named = _field(1, name.encode())
    if isinstance(value, int):
        return named + _number(3, value) + _number(20, 2)
    if isinstance(value, float):
        return named + _encoded(2 << 3 | 5) + struct.pack("<f", value) + _number(20, 1)
    return named + b"".join(_number(8, one) for one in value) + _number(20, 7)


def _value_bytes(name: str, kind: int, axes: int) -> bytes:
    shape = _field(2, _field(1, b"") * axes)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, kind) + shape))
