"""How long things last that are heard."""

import struct

WORDS_PER_S = 2.6
AUDIO_TYPES = frozenset(
    {
        "audio/mpeg",
        "audio/wav",
        "audio/wave",
        "audio/x-wav",
        "audio/aiff",
        "audio/x-aifc",
        "audio/x-aiff",
        "audio/x-gsm",
        "audio/gsm",
        "audio/ulaw",
    }
)
_UNKNOWN_S = 30.0


def say_seconds(text: str) -> float:
    """Seconds a voice needs for `text`; a full stop or comma costs a breath."""
    words = len(text.split())
    return round(max(0.4, words / WORDS_PER_S + 0.15 * sum(text.count(mark) for mark in ".,;?!")), 2)


def audio_seconds(body: bytes) -> float:
    """Seconds of a recording: read from a WAV header, else guessed for a track of unknown length."""
    if body[:4] != b"RIFF" or body[8:12] != b"WAVE":
        return _UNKNOWN_S
    at, rate = 12, 0
    while at + 8 <= len(body):
        name, size = body[at : at + 4], struct.unpack_from("<I", body, at + 4)[0]
        if name == b"fmt " and size >= 16 and at + 20 <= len(body):
            rate = struct.unpack_from("<I", body, at + 16)[0]
        if name == b"data":
            length = min(size, len(body) - at - 8)
            return round(length / rate, 3) if rate else 0.0
        at += 8 + size + (size & 1)
    return 0.0
