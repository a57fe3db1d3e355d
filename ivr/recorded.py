"""What people recorded, as a web process has it in memory: prompts by the words they say, and the company's hold music.

A recording is heard wherever a plan says exactly its words, in its language; a sentence that was changed is spoken by
the carrier's voice until it is recorded anew. So a plan in use keeps the recordings that fit it, whatever is published.
"""

import io
import re
import wave
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from psycopg import Connection

from models import recordings

HEADER = 44  # bytes before the samples of `as_wav`
RATE = 8000  # what a telephone line carries
PIECE_S = 30  # the longest piece of hold music in one file
FADE = RATE // 4  # samples: pieces in a row join without a click
_PIECE = re.compile(r"([0-9a-f]{20})-(\d{1,4})-(\d{1,2})")
_WHOLE = re.compile(r"[0-9a-f]{20}")

Part = tuple[str, str | None]


@dataclass(frozen=True)
class Recorded:
    """All of it at one instant. `prompts`: language -> (words, path), the longest words first."""

    prompts: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    sounds: Mapping[str, bytes] = field(default_factory=dict)  # by hash
    music: str | None = None  # the hash

    def parts(self, words: str, language: str) -> tuple[Part, ...]:
        """The words in order, each part with the path of its recording, None where the voice says it."""
        return _parted(words, self.prompts.get(language, ()))

    def music_paths(self, seconds: int, turn: int) -> tuple[str, ...]:
        """Paths of pieces of the company's music that play for `seconds`, going on where the turn before may have
        ended; none without such music."""
        if self.music is None:
            return ()
        whole, paths = _seconds(self.sounds[self.music]), []
        start = turn % -(-whole // PIECE_S) * PIECE_S
        while seconds > 0:
            length = min(seconds, PIECE_S)
            paths.append(f"/audio/{self.music}-{start}-{length}.wav")
            start, seconds = (start + length) % whole, seconds - length
        return tuple(paths)

    def file(self, name: str) -> bytes | None:
        """A recording or a piece of music by the name in its path; None for what is not in memory."""
        return cut_out(name, self.sounds)


def _parted(words: str, recorded: tuple[tuple[str, str], ...]) -> tuple[Part, ...]:
    for said, path in recorded:
        at = _place(words, said)
        if at is not None:
            before, after = words[:at].strip(), words[at + len(said) :].strip()
            return (*_parted(before, recorded), (said, path), *_parted(after, recorded))
    return ((words, None),) if words else ()


def _place(words: str, said: str) -> int | None:
    """Where a whole sentence stands among others; None where it does not."""
    at = words.find(said)
    while at >= 0:
        end = at + len(said)
        begins = at == 0 or (words[at - 1] == " " and words[:at].rstrip()[-1:] in ".!?")
        ends = end == len(words) or (words[end] == " " and said[-1:] in ".!?")
        if begins and ends:
            return at
        at = words.find(said, at + 1)
    return None


def is_name(name: str) -> bool:
    """Whether a recording or a piece of music could be called so."""
    return bool(_WHOLE.fullmatch(name) or _PIECE.fullmatch(name))


def hash_in(name: str) -> str:
    """The hash in a name."""
    return name[:20]


def cut_out(name: str, sounds: Mapping[str, bytes]) -> bytes | None:
    """The sound of a name: a whole recording, or a piece of music (which begins again at its end)."""
    if found := _PIECE.fullmatch(name):
        whole, start, length = sounds.get(found[1]), int(found[2]), int(found[3])
        if whole is None or not 1 <= length <= PIECE_S or start >= _seconds(whole):
            return None
        return _piece(whole, start, length)
    return sounds.get(name)


def _seconds(sound: bytes) -> int:
    """Whole seconds, at least 1."""
    return max(1, (len(sound) - HEADER) // 2 // RATE)


def _piece(sound: bytes, start: int, seconds: int) -> bytes:
    samples = np.frombuffer(sound, dtype="<i2", offset=HEADER)
    cut = np.take(samples, np.arange(start * RATE, (start + seconds) * RATE), mode="wrap").astype(np.float64)
    ramp = np.linspace(0.0, 1.0, FADE)
    cut[:FADE] *= ramp
    cut[-FADE:] *= ramp[::-1]
    return as_wav(np.round(cut).astype("<i2").tobytes())


def as_wav(samples: bytes) -> bytes:
    """Samples of 16 bits as a file the carrier plays without converting it."""
    written = io.BytesIO()
    with wave.open(written, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples)
    return written.getvalue()


def look(conn: Connection, known: Recorded) -> Recorded:
    """What is recorded now: the very same value where nothing changed. Fetches only sounds that are not known."""
    rows = recordings.heard(conn)
    prompts: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows:
        if row.kind == recordings.PROMPT:
            prompts[row.language].append((row.words, f"/audio/{row.hash}.wav"))
    music = next((row.hash for row in rows if row.kind == recordings.MUSIC), None)
    by_language = {code: tuple(sorted(said, key=_longest_first)) for code, said in prompts.items()}
    if by_language == known.prompts and music == known.music:
        return known
    sounds = {name: known.sounds.get(name) or recordings.sound(conn, name) for name in {row.hash for row in rows}}
    return Recorded(by_language, {name: sound for name, sound in sounds.items() if sound is not None}, music)


def _longest_first(prompt: tuple[str, str]) -> tuple[int, str]:
    return -len(prompt[0]), prompt[0]
