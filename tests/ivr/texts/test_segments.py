"""Segments, as carriers count them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.texts.segments import Count, count, is_gsm, septets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Count("gsm7", 0, 1)),
        ("a" * 160, Count("gsm7", 160, 1)),
        ("a" * 161, Count("gsm7", 161, 2)),
        ("a" * 306, Count("gsm7", 306, 2)),
        ("a" * 307, Count("gsm7", 307, 3)),
        ("€" * 80, Count("gsm7", 160, 1)),
        ("a" * 159 + "€", Count("gsm7", 161, 2)),
        ("a" * 152 + "€" + "a" * 152, Count("gsm7", 306, 3)),  # the pair does not fit into the first part's last place
        ("Ç", Count("gsm7", 1, 1)),
        ("ç", Count("ucs2", 1, 1)),
        ("á" + "a" * 69, Count("ucs2", 70, 1)),
        ("á" + "a" * 70, Count("ucs2", 71, 2)),
        ("😀" * 35, Count("ucs2", 70, 1)),
        ("😀" * 36, Count("ucs2", 72, 2)),
        ("😀" * 67, Count("ucs2", 134, 3)),  # 33 emoji a part: no pair is split
        ("’", Count("ucs2", 1, 1)),
        ("\x1b", Count("ucs2", 1, 1)),
    ],
)
def test_segments_are_counted_as_carriers_do(text: str, expected: Count) -> None:
    assert count(text) == expected


def test_the_basic_set_is_complete() -> None:
    basic = (
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
        "abcdefghijklmnopqrstuvwxyzäöñüà"
    )
    assert len(basic) == 127
    assert all(septets(character) == 1 for character in basic)
    assert [septets(character) for character in "^{}\\[~]|€\f"] == [2] * 10


@given(st.text(max_size=700))
def test_any_text_is_counted(text: str) -> None:
    counted = count(text)
    assert (counted.encoding == "gsm7") == is_gsm(text)
    assert counted.segments >= 1
