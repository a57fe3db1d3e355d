"""What a text costs: GSM-7 or UCS-2, units and segments, counted as carriers do (3GPP 23.038, 23.040)."""

from dataclasses import dataclass
from functools import cache

from gsm0338 import Codec

GSM_SINGLE, GSM_PART = 160, 153  # septets alone / beside a concatenation header
UCS_SINGLE, UCS_PART = 70, 67  # UTF-16 units


@dataclass(frozen=True, slots=True)
class Count:
    """`units` are septets (GSM-7) or UTF-16 code units (UCS-2)."""

    encoding: str  # "gsm7" | "ucs2"
    units: int
    segments: int


@cache
def _septets() -> dict[str, int]:
    """Character -> septets, for every character GSM-7 has. The escape itself is none."""
    codec = Codec()
    table: dict[str, int] = {}
    for code in (*range(0x20, 0x100), *range(0x370, 0x400), 0x0A, 0x0C, 0x0D, 0x20AC):
        try:
            table[chr(code)] = len(codec.encode(chr(code))[0])
        except UnicodeEncodeError:
            continue
    return table


def septets(character: str) -> int | None:
    """Septets of one character: 1, 2 for the extension table, None when GSM-7 lacks it."""
    return _septets().get(character)


def is_gsm(text: str) -> bool:
    """Whether all of it is in GSM-7."""
    table = _septets()
    return all(character in table for character in text)


def width(text: str) -> int:
    """Septets of a GSM-7 text. Raises KeyError for a character GSM-7 lacks."""
    table = _septets()
    return sum(table[character] for character in text)


def count(text: str) -> Count:
    """Encoding, units and segments. A character of two units is never split over two parts."""
    if is_gsm(text):
        sizes = [_septets()[character] for character in text]
        return _counted("gsm7", sizes, GSM_SINGLE, GSM_PART)
    sizes = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return _counted("ucs2", sizes, UCS_SINGLE, UCS_PART)


def _counted(encoding: str, sizes: list[int], single: int, part: int) -> Count:
    units = sum(sizes)
    if units <= single:
        return Count(encoding, units, 1)
    segments, room = 1, part
    for size in sizes:
        if size > room:
            segments, room = segments + 1, part
        room -= size
    return Count(encoding, units, segments)
