"""A sound file to what a telephone line carries. Runs as a process of its own: a decoder that a hostile file crashes,
or that wants all memory, takes no call with it.

    python -m ivr.console.decoder LONGEST_S LEVEL_DB < file > samples

Writes 16-bit samples, 8 kHz mono; ends with 3 and a word on why where it does not (see `ivr.console.sound.PROBLEMS`).
"""

import io
import resource
import sys
from collections.abc import Iterator

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

RATE = 8000
RATES = range(4000, 96_001)
MOST_CHANNELS = 8
BLOCK_S = 10
PEAK = 0.9  # of full scale
QUIET = 0.001  # of full scale: nothing can be heard
SHORTEST_S = 0.3
FRAME_S = 0.05
MEMORY = 1 << 30
PROCESSOR_S = 40

Sound = NDArray[np.float32]


class Refused(Exception):
    """Why a file is not taken, in one word."""


def main() -> int:
    """As the module says."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        samples = telephone(sys.stdin.buffer.read(), float(sys.argv[1]), float(sys.argv[2]))
    except (Refused, soundfile.LibsndfileError, MemoryError) as error:
        sys.stdout.write(str(error) if isinstance(error, Refused) else "unreadable")
        return 3
    sys.stdout.buffer.write(samples)
    return 0


def telephone(raw: bytes, longest_s: float, level_db: float) -> bytes:
    """The samples of a file, levelled to `level_db` of full scale where something is heard. Raises Refused."""
    if not (raw[:4] == b"RIFF" and raw[8:12] == b"WAVE") and not _is_mpeg(raw):
        raise Refused("kind")
    with soundfile.SoundFile(io.BytesIO(raw)) as file:
        if file.format not in ("WAV", "WAVEX", "MP3"):
            raise Refused("kind")
        if file.samplerate not in RATES or not 1 <= file.channels <= MOST_CHANNELS:
            raise Refused("rate")
        heard = np.concatenate([np.zeros(0, np.float32), *_resampled(_blocks(file, longest_s), file.samplerate)])
    if heard.size < SHORTEST_S * RATE:
        raise Refused("short")
    if not np.isfinite(heard).all():
        raise Refused("unreadable")
    return np.round(_levelled(heard, level_db) * 32767).astype("<i2").tobytes()


def _is_mpeg(raw: bytes) -> bool:
    """A tag, or the beginning of a frame of layer III."""
    return raw[:3] == b"ID3" or (len(raw) > 2 and raw[0] == 0xFF and raw[1] & 0xE6 == 0xE2)


def _blocks(file: soundfile.SoundFile, longest_s: float) -> Iterator[Sound]:
    """Mono, BLOCK_S at a time; no more of it than is taken."""
    total, most = 0, longest_s * file.samplerate
    while (block := file.read(BLOCK_S * file.samplerate, dtype="float32", always_2d=True)).size:
        total += len(block)
        if total > most:
            raise Refused("long")
        yield block.mean(axis=1, dtype=np.float32)


def _resampled(blocks: Iterator[Sound], rate: int) -> Iterator[Sound]:
    """Each block with a second of its neighbours, so that no filter hears an edge; whole seconds stay whole seconds."""
    before = np.zeros(rate, np.float32)
    block = next(blocks, None)
    while block is not None:
        after = next(blocks, None)
        padding = np.zeros(-len(block) % rate, np.float32)
        head = after[:rate] if after is not None else padding[:0]
        head = np.concatenate([head, np.zeros(rate - len(head), np.float32)])
        whole = resample_poly(np.concatenate([before, block, padding, head]), RATE, rate).astype(np.float32)
        yield whole[RATE : RATE + round(len(block) * RATE / rate)]
        before, block = np.concatenate([before, block])[-rate:], after


def _levelled(heard: Sound, level_db: float) -> Sound:
    """As loud as `level_db` where something is heard; peaks are rounded off, not the whole made softer for a click."""
    heard = heard - heard.mean()
    frame = int(FRAME_S * RATE)
    frames = heard[: len(heard) // frame * frame].reshape(-1, frame)
    loud = np.sqrt(np.mean(frames**2, axis=1))
    if loud.max(initial=0.0) < QUIET:
        raise Refused("silent")
    active = loud[loud > loud.max() / 30]  # 30 dB below the loudest is a pause
    gain = 10 ** (level_db / 20) / float(np.sqrt(np.mean(active**2)))
    louder = np.abs(heard * gain)
    rounded = np.where(louder <= PEAK / 2, louder, PEAK / 2 * (1 + np.tanh(louder / (PEAK / 2) - 1)))
    return np.asarray(np.sign(heard) * rounded, dtype=np.float32)


if __name__ == "__main__":
    sys.exit(main())
