"""Hold music of our own: soft chords and a few bell notes, 8 kHz mono 16-bit, in clips that join without a
click.

Made once when a process starts (some tens of milliseconds) and named by content, so a cache may keep it for
ever.
"""

import hashlib
from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ivr.recorded import RATE, Part, Recorded, as_wav

BAR_S = 4
FADE_S = 0.25
PEAK = 0.32  # of full scale: quieter than the voice, so an offer is heard over what came before
#: seconds of each clip -> the bar it begins with, so that short clips in a row do not begin alike
CLIPS: Mapping[int, int] = {4: 6, 6: 7, 8: 2, 10: 5, 12: 4, 14: 6, 16: 3, 18: 2, 20: 1, 25: 2, 30: 0}

# Frequencies in Hz within the band of a telephone (300-3400): C, A minor, F and G in close position, twice.
_CHORDS = (
    (329.63, 392.00, 523.25),
    (329.63, 440.00, 523.25),
    (349.23, 440.00, 523.25),
    (392.00, 493.88, 587.33),
)
_BELLS = (783.99, 659.25, 880.00, 698.46, 783.99, 587.33, 659.25, 523.25)

Sound = NDArray[np.float64]


def _pad(frequency: float, seconds: float) -> Sound:
    """A held note that swells and fades, with a slow shimmer."""
    at = np.arange(int(seconds * RATE)) / RATE
    swell = np.sin(np.pi * at / seconds) ** 0.6
    shimmer = 1 + 0.15 * np.sin(2 * np.pi * 0.7 * at)
    tone = np.sin(2 * np.pi * frequency * at) + 0.25 * np.sin(4 * np.pi * frequency * at)
    return np.asarray(tone * swell * shimmer, dtype=np.float64)


def _bell(frequency: float, seconds: float) -> Sound:
    """A struck note that dies away."""
    at = np.arange(int(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * frequency * at) + 0.3 * np.sin(2 * np.pi * 2.01 * frequency * at)
    return np.asarray(tone * np.exp(-2.2 * at) * np.minimum(1.0, at * 60), dtype=np.float64)


def _piece() -> Sound:
    """Ten bars, the last two like the first."""
    bars = 10
    piece = np.zeros((bars + 1) * BAR_S * RATE)
    for bar in range(bars):
        start = bar * BAR_S * RATE
        for note in _CHORDS[bar % len(_CHORDS)]:
            sound = _pad(note, BAR_S * 1.2)
            piece[start : start + sound.size] += sound
        for beat in (0, 2):
            sound = 0.8 * _bell(_BELLS[(2 * bar + beat // 2) % len(_BELLS)], 2.0)
            from_ = start + beat * RATE
            piece[from_ : from_ + sound.size] += sound
    return piece * (PEAK / float(np.max(np.abs(piece))))


def _wav(sound: Sound) -> bytes:
    edge = int(FADE_S * RATE)
    faded = sound.copy()
    ramp = np.linspace(0.0, 1.0, edge)
    faded[:edge] *= ramp
    faded[-edge:] *= ramp[::-1]
    return as_wav(np.round(faded * 32767).astype("<i2").tobytes())


@cache
def _clips() -> tuple[dict[str, bytes], dict[int, str]]:
    """Every clip by its name, and the path of each length. Made once a process."""
    piece = _piece()
    files: dict[str, bytes] = {}
    paths: dict[int, str] = {}
    for seconds, bar in CLIPS.items():
        start = bar * BAR_S * RATE
        body = _wav(piece[start : start + seconds * RATE])
        name = hashlib.sha256(body).hexdigest()[:20]
        files[name] = body
        paths[seconds] = f"/audio/{name}.wav"
    return files, paths


class Audio:
    """What callers hear that is no voice of the carrier: our music or the company's, and what people recorded."""

    def __init__(self) -> None:
        self._files, self._paths = _clips()
        self._recorded = Recorded()
        self.edition = 0  # grows when what was recorded changes: documents made before name other files

    @property
    def recorded(self) -> Recorded:
        """What people recorded, as last taken."""
        return self._recorded

    def take(self, recorded: Recorded) -> None:
        """Play this from now on."""
        if recorded is not self._recorded:
            self._recorded = recorded
            self.edition += 1

    def parts(self, words: str, language: str) -> tuple[Part, ...]:
        """The words in order, each part with the path of its recording, None where the voice says it."""
        return self._recorded.parts(words, language)

    def paths(self, seconds: int, turn: int = 0) -> tuple[str, ...]:
        """Paths of clips that play for about `seconds` in all, in order, at least one and at most twenty. `turn`: the
        company's own music goes on from turn to turn."""
        longest = max(CLIPS)
        bounded = max(1, min(seconds, 20 * longest))
        if own := self._recorded.music_paths(bounded, turn):
            return own
        whole, rest = divmod(bounded, longest)
        ends = (min(CLIPS, key=lambda clip: (abs(clip - rest), -clip)),) if rest > 1 or not whole else ()
        return tuple(self._paths[clip] for clip in (*(longest,) * whole, *ends))[:20]

    def file(self, name: str) -> bytes | None:
        """A clip by the name in its path; None for one that is not in memory here."""
        return self._files.get(name) or self._recorded.file(name)
