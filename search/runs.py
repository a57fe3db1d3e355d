"""Three-letter runs of titles and of what callers say: a misheard name keeps most of them. Pure."""

import numpy as np
import numpy.typing as npt

RUNS = 1 << 15  # numbers for three-letter runs
SPACE = 0x20


def tag_form(text: str) -> str:
    """A tag or menu choice with case and punctuation off: `send-and-receive` is "Send and receive"."""
    return " ".join("".join(letter if letter.isalnum() else " " for letter in text.casefold()).split())


def letter_runs(text: str) -> npt.NDArray[np.uint16]:
    """The numbers of the three-byte runs of `text` in small letters, a space at each end."""
    return runs_of(np.frombuffer(f" {text} ".encode("utf-8", "replace"), dtype=np.uint8))


def run_rarities(titles: npt.NDArray[np.uint8], starts: npt.NDArray[np.uint64]) -> npt.NDArray[np.float16]:
    """The idf of every three-letter run over the titles of a community."""
    seen = np.zeros(RUNS, dtype=np.int64)
    for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        seen[np.unique(runs_of(titles[begin:end]))] += 1
    return np.log((len(starts) + 1) / (seen + 0.5)).astype(np.float16)


def runs_of(letters: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """The run that begins at each byte but the last two."""
    small = np.where((letters >= 0x41) & (letters <= 0x5A), letters | 0x20, letters).astype(np.uint32)
    word = (small >= 0x61) & (small <= 0x7A) | (small >= 0x30) & (small <= 0x39) | (small >= 0x80)
    small = np.where(word, small, SPACE).astype(np.uint32)
    if len(small) < 3:
        return np.empty(0, dtype=np.uint16)
    packed = (small[:-2] << np.uint32(16)) | (small[1:-1] << np.uint32(8)) | small[2:]
    return ((packed * np.uint32(2654435761)) >> np.uint32(17)).astype(np.uint16)  # Knuth's multiplicative hash
