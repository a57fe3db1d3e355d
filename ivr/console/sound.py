"""Files that people upload, made into what callers hear. The work is done in a process of its own (`decoder`)."""

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from ivr.console.errors import Sentence, Wrong, sentence
from ivr.recorded import RATE, as_wav

MOST_BYTES = 10 * 1024 * 1024
WITHIN_S = 60.0
VOICE_DB = -20.0  # of full scale, as the carrier's voices
MUSIC_DB = -27.0  # softer: an offer is heard over what came before
PROBLEMS = {
    "kind": sentence("This is neither a WAV nor an MP3 file."),
    "unreadable": sentence("This file cannot be read: it may be damaged. Save it anew as WAV or MP3."),
    "rate": sentence(
        "This file has an unusual sample rate or too many channels. Save it with 44.1 kHz in stereo or mono."
    ),
    "short": sentence("Less than a third of a second is in this file."),
    "silent": sentence("Nothing can be heard in this file."),
}
_ROOT = Path(__file__).resolve().parents[2]
_one_at_a_time = threading.Semaphore(1)  # calls are answered beside


@dataclass(frozen=True, slots=True)
class Sound:
    """8 kHz, mono, 16 bits, as a WAV file."""

    wav: bytes
    seconds: float


def telephone(raw: bytes, longest_s: int, level_db: float) -> Sound:
    """A WAV or MP3 file as callers hear it, levelled. Raises Wrong with what is to be put right."""
    if not raw:
        raise _wrong(sentence("Choose a file."))
    if len(raw) > MOST_BYTES:
        raise _wrong(
            sentence("The file is too big: %(most)s MB at most. Music is smaller as MP3.", most=MOST_BYTES >> 20)
        )
    if not _one_at_a_time.acquire(timeout=WITHIN_S / 4):
        raise _wrong(sentence("Another file is being converted. Try again in a moment."))
    try:
        samples = _decoded(raw, longest_s, level_db)
    finally:
        _one_at_a_time.release()
    return Sound(as_wav(samples), len(samples) / 2 / RATE)


def _decoded(raw: bytes, longest_s: int, level_db: float) -> bytes:
    command = [sys.executable, "-m", "ivr.console.decoder", str(longest_s), str(level_db)]
    bare = {"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # none of our secrets
    try:
        done = subprocess.run(
            command, input=raw, capture_output=True, timeout=WITHIN_S, cwd=_ROOT, env=bare, check=False
        )
    except subprocess.TimeoutExpired:
        raise _wrong(PROBLEMS["unreadable"]) from None
    if done.returncode == 0:
        return done.stdout
    why = done.stdout.decode("ascii", "replace") if done.returncode == 3 else "unreadable"
    if why == "long":
        raise _wrong(sentence("It lasts too long: %(most)s seconds at most.", most=longest_s))
    raise _wrong(PROBLEMS.get(why, PROBLEMS["unreadable"]))


def _wrong(problem: Sentence) -> Wrong:
    return Wrong({"file": problem})
