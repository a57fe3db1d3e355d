"""What must hold of a bundle whose checksums are right: another program may have written it, or an encoder gone wrong.

Arrays as large as the community's text are not looked through: a process holds the pages it touched.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from search.bundle import RECORD
from search.calibration import calibrations_from
from search.judge import judge_from
from search.vectors import VectorIndex

BLOCK = 2048
LONGEST = 1.01  # of a unit vector in float16
_KINDS = {
    RECORD: ("records",),
    np.dtype(np.uint8): ("kinds", "id-bytes", "title-bytes", "words-forward-marks"),
    np.dtype(np.uint32): (
        *("owners", "id-rows", "tag-numbers"),
        *("words-df", "words-champion-rows", "words-forward-terms"),
    ),
    np.dtype(np.uint64): (
        *("id-hashes", "id-starts", "title-starts", "tag-starts"),
        *("words-hashes", "words-champion-starts", "words-forward-starts"),
    ),
    np.dtype(np.float16): ("hubs", "run-rarities", "words-champion-impacts"),
}
_PARTED = (
    ("id-starts", "id-bytes"),
    ("title-starts", "title-bytes"),
    ("tag-starts", "tag-numbers"),
    ("words-champion-starts", "words-champion-rows"),
    ("words-champion-starts", "words-champion-impacts"),
    ("words-forward-starts", "words-forward-terms"),
    ("words-forward-starts", "words-forward-marks"),
)


def see_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Raises `ValueError` for arrays of other kinds than a bundle has, or whose parts lie outside of them."""
    for kind, names in _KINDS.items():
        for name in names:
            if arrays[name].dtype != kind:
                raise ValueError(f"holds {name} of {arrays[name].dtype}")
    for starts, content in _PARTED:
        begins = arrays[starts].astype(np.int64)
        if begins[0] != 0 or begins[-1] != len(arrays[content]) or np.any(np.diff(begins) < 0):
            raise ValueError(f"holds {content} that {starts} does not part")
    for name in ("hubs", "run-rarities"):
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"holds {name} that are no numbers")


def see_vectors(vectors: VectorIndex) -> None:
    """Raises `ValueError` for vectors that are longer than one, or no numbers: they would be nearest to everything."""
    for begin in range(0, vectors.count, BLOCK):
        block = vectors.read(np.arange(begin, min(begin + BLOCK, vectors.count)))
        if not float(np.einsum("ij,ij->i", block, block).max()) <= LONGEST**2:
            raise ValueError("holds vectors that are longer than one")


def see_weights(model: Mapping[str, Any], calibration: Mapping[str, Any]) -> None:
    """Raises `ValueError` for weights or a calibration that no finder could use."""
    if model:
        judge_from(model)
    calibrations_from(calibration)
