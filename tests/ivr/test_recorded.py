"""Recorded prompts stand where their words are said; the company's music is cut into pieces that go on."""

import struct

from ivr.audio import Audio
from ivr.recorded import HEADER, RATE, Recorded, as_wav, cut_out, is_name

WELCOME, SAY = "Welcome to Lumora.", "You can also say it."
HASH = "a" * 20


def recorded(*words: str) -> Recorded:
    said = sorted(words, key=len, reverse=True)
    return Recorded({"en": tuple((one, f"/audio/{one[:3]}.wav") for one in said)})


def music(seconds: int) -> Recorded:
    samples = struct.pack(f"<{seconds * RATE}h", *(n // RATE * 100 for n in range(seconds * RATE)))
    return Recorded(sounds={HASH: as_wav(samples)}, music=HASH)


def levels(piece: bytes) -> list[int]:
    """A sample out of the middle of each second."""
    samples = struct.unpack(f"<{(len(piece) - HEADER) // 2}h", piece[HEADER:])
    return list(samples[RATE // 2 :: RATE])


def test_a_recording_is_heard_where_exactly_its_words_are_said() -> None:
    assert recorded(WELCOME).parts(WELCOME, "en") == ((WELCOME, "/audio/Wel.wav"),)


def test_the_voice_says_what_was_changed_since() -> None:
    assert recorded(WELCOME).parts("Welcome to Lumora, dear caller.", "en") == (
        ("Welcome to Lumora, dear caller.", None),
    )


def test_a_recording_in_another_language_is_not_heard() -> None:
    assert recorded(WELCOME).parts(WELCOME, "es") == ((WELCOME, None),)


def test_sentences_that_are_recorded_stand_among_those_that_are_not() -> None:
    assert recorded(WELCOME, SAY).parts(f"{WELCOME} For billing, press 1. {SAY}", "en") == (
        (WELCOME, "/audio/Wel.wav"),
        ("For billing, press 1.", None),
        (SAY, "/audio/You.wav"),
    )


def test_half_a_sentence_is_no_place_for_a_recording() -> None:
    assert recorded("Press 1.").parts("For billing, Press 1.", "en") == (("For billing, Press 1.", None),)
    assert recorded("Yes").parts("Yes we can.", "en") == (("Yes we can.", None),)


def test_the_longest_words_that_fit_are_played() -> None:
    both = f"{WELCOME} {SAY}"
    assert recorded(WELCOME, SAY, both).parts(both, "en") == ((both, "/audio/Wel.wav"),)


def test_music_goes_on_from_turn_to_turn_and_begins_again_at_its_end() -> None:
    own = music(70)
    assert own.music_paths(45, 0) == (f"/audio/{HASH}-0-30.wav", f"/audio/{HASH}-30-15.wav")
    assert own.music_paths(20, 1) == (f"/audio/{HASH}-30-20.wav",)
    assert own.music_paths(20, 3) == own.music_paths(20, 0)
    assert own.music_paths(20, 2) == (f"/audio/{HASH}-60-20.wav",)
    piece = own.file(f"{HASH}-60-20")
    assert piece is not None
    assert levels(piece) == [100 * second for second in (*range(60, 70), *range(10))]


def test_music_shorter_than_a_piece_is_played_over_and_over() -> None:
    piece = music(3).file(f"{HASH}-1-5")
    assert piece is not None
    assert levels(piece) == [100, 200, 0, 100, 200]


def test_a_piece_begins_and_ends_softly() -> None:
    piece = music(70).file(f"{HASH}-40-4")
    assert piece is not None
    assert piece[HEADER : HEADER + 2] == piece[-2:] == b"\0\0"


def test_names_that_are_none_give_no_sound() -> None:
    sounds = music(70).sounds
    assert [cut_out(name, sounds) for name in (f"{HASH}-70-5", f"{HASH}-0-0", f"{HASH}-0-31", "b" * 20)] == [None] * 4
    assert not any(is_name(name) for name in ("", "x" * 20, f"{HASH}-1", f"{HASH}-1-222", "../../etc/passwd"))


def test_our_music_is_heard_until_the_company_has_its_own() -> None:
    audio = Audio()
    ours = audio.paths(20)
    audio.take(music(70))
    assert (audio.paths(20, 1), audio.edition) == ((f"/audio/{HASH}-30-20.wav",), 1)
    assert audio.file(ours[0][7:-4]) is not None  # a document of a moment ago names it
    audio.take(audio.recorded)
    assert audio.edition == 1
    audio.take(Recorded())
    assert audio.paths(20) == ours
