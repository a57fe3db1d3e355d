"""The hold music: telephone sound, calm level, clips for every length."""

import io
import struct
import wave

from ivr.audio import CLIPS, Audio
from ivr.recorded import RATE


def test_clips_are_eight_kilohertz_mono_of_their_length_and_quiet() -> None:
    audio = Audio()
    for seconds in CLIPS:
        (path,) = audio.paths(seconds)
        body = audio.file(path.removeprefix("/audio/").removesuffix(".wav"))
        assert body is not None
        with wave.open(io.BytesIO(body)) as clip:
            assert (clip.getnchannels(), clip.getsampwidth(), clip.getframerate()) == (1, 2, RATE)
            assert clip.getnframes() == seconds * RATE
            frames = clip.readframes(clip.getnframes())
        samples = struct.unpack(f"<{len(frames) // 2}h", frames)
        assert samples[0] == samples[-1] == 0  # clips in a row join without a click
        assert 5000 < max(samples) < 11_000


def test_every_length_has_clips_that_add_up_to_about_it() -> None:
    audio = Audio()
    length = {audio.paths(seconds)[0]: seconds for seconds in CLIPS}
    assert [sum(length[path] for path in audio.paths(s)) for s in (-3, 1, 5, 9, 15, 31, 45, 60, 90)] == [
        4, 4, 6, 10, 16, 30, 46, 60, 90,
    ]  # fmt: skip
    assert len(audio.paths(10**9)) == 20


def test_two_processes_give_a_clip_the_same_name() -> None:
    assert Audio().paths(30) == Audio().paths(30)
    assert Audio().file("0" * 20) is None
