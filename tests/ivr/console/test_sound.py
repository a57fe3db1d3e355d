"""What people upload, as callers hear it: of the right kind, level, and never a danger."""

import io
import struct

import numpy as np
import pytest
import soundfile

from ivr.console import decoder, sound
from ivr.console.errors import Wrong
from ivr.recorded import HEADER


def tone(rate: int, seconds: float, *, kind: str = "WAV", channels: int = 1, level: float = 0.1) -> bytes:
    at = np.arange(int(rate * seconds)) / rate
    file = io.BytesIO()
    soundfile.write(file, np.stack([level * np.sin(2 * np.pi * 440 * at)] * channels, 1), rate, format=kind)
    return file.getvalue()


def heard(samples: bytes) -> "np.typing.NDArray[np.float64]":
    return np.frombuffer(samples, "<i2") / 32768


@pytest.mark.parametrize(
    ("rate", "seconds", "kind", "channels"),
    [(44_100, 23.3, "WAV", 2), (48_000, 12.5, "MP3", 1), (11_025, 10.0, "WAV", 1), (8000, 3.0, "WAV", 1)],
)
def test_any_usual_file_becomes_telephone_sound_at_one_level(
    rate: int, seconds: float, kind: str, channels: int
) -> None:
    samples = decoder.telephone(tone(rate, seconds, kind=kind, channels=channels), 120, -20)
    assert len(samples) // 2 == pytest.approx(seconds * 8000, abs=1)
    wave = heard(samples)
    assert 20 * np.log10(np.sqrt(np.mean(wave**2))) == pytest.approx(-20, abs=0.2)
    spectrum = np.abs(np.fft.rfft(wave[8000:16000]))
    assert int(spectrum.argmax()) == 440  # the same tone, in Hz
    assert float(np.abs(np.diff(wave)).max()) < 0.06  # nowhere a click, between blocks neither


def test_a_click_does_not_make_the_whole_soft() -> None:
    raw = bytearray(tone(8000, 4.0))
    raw[HEADER + 2000 : HEADER + 2002] = struct.pack("<h", 32767)
    wave = heard(decoder.telephone(bytes(raw), 120, -20))
    assert float(np.sqrt(np.mean(wave[16000:] ** 2))) == pytest.approx(0.1, abs=0.01)
    assert float(np.abs(wave).max()) <= 0.91


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"hello", "kind"),
        (tone(8000, 2, kind="FLAC"), "kind"),
        (b"RIFF" + bytes(4) + b"WAVE" + b"\xff" * 200, "unreadable"),
        (tone(8000, 0.1), "short"),
        (tone(8000, 2, level=0), "silent"),
        (tone(8000, 3), "long"),
        (tone(192_000, 0.5), "rate"),
    ],
)
def test_a_file_that_is_no_use_is_refused_with_a_word(raw: bytes, why: str) -> None:
    with pytest.raises((decoder.Refused, soundfile.LibsndfileError)) as refused:
        decoder.telephone(raw, 2.5, -20)
    assert why == "unreadable" or str(refused.value) == why


def test_the_work_is_done_in_another_process() -> None:
    made = sound.telephone(tone(16_000, 1.5), 120, sound.VOICE_DB)
    assert (made.wav[:4], made.seconds) == (b"RIFF", 1.5)
    with pytest.raises(Wrong) as wrong:
        sound.telephone(b"RIFF" + bytes(4) + b"WAVE" + b"\xff" * 200, 120, sound.VOICE_DB)
    assert str(wrong.value) == "file: This file cannot be read: it may be damaged. Save it anew as WAV or MP3."


def test_a_file_that_is_too_big_is_not_even_looked_at() -> None:
    with pytest.raises(Wrong) as wrong:
        sound.telephone(bytes(sound.MOST_BYTES + 1), 120, sound.VOICE_DB)
    assert str(wrong.value) == "file: The file is too big: 10 MB at most. Music is smaller as MP3."
