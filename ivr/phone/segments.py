"""How many segments a body is billed as (3GPP 23.038: GSM-7 160/153 septets, UCS-2 70/67 units)."""

from gsm0338 import Codec

_GSM = Codec()


def _widths(body: str) -> tuple[list[int], int, int]:
    try:
        return [len(_GSM.encode(letter)[0]) for letter in body], 160, 153
    except UnicodeEncodeError:
        return [len(letter.encode("utf-16-le", "surrogatepass")) // 2 for letter in body], 70, 67


def segments(body: str) -> int:
    """Segments of `body`; a character of two units is never split between two parts."""
    widths, single, part = _widths(body)
    if sum(widths) <= single:
        return 1
    count, room = 1, part
    for width in widths:
        if width > room:
            count, room = count + 1, part
        room -= width
    return count
