"""What a post says, without what surrounds it: markup, quotes of others, greetings, signatures. Pure and bounded."""

import re
import unicodedata

from search.sources.markup import MAX_HTML, MAX_TEXT, text_of

MAX_LINE = 2_000

_NAME = r"@?[^\W\d_][\w.'’-]{0,24}"
_HELLO = (
    r"(?:hi+|hello|hey|howdy|greetings|dear|good (?:morning|day|afternoon|evening)"
    r"|hola|buenas(?: tardes| noches)?|buenos d[ií]as|saludos|estimad[oa]s?)"
)
_GREETING = re.compile(
    rf"(?:{_HELLO}\b(?! (?:siri|google|alexa|cortana|bixby)\b)(?: {_NAME}){{0,3}}[ ]{{0,2}}(?:[,!.:;–-]+\s*|\n\s*)"
    rf"|@[\w.-]{{1,40}}[,:]?\s+)+",
    re.IGNORECASE,
)
_CLOSING_WORDS = (
    r"(?:(?:many |best |kind |warm )?(?:regards|wishes)|cheers|sincerely|best|ttyl|ty|thx|tia"
    r"|(?:many |lots of |a lot of )?(?:thanks|thank you|thankyou)(?: again| a lot| so much| very much| all| everyone"
    r"| you| in advance| for (?:any|your|the) (?:help|time|advice|assistance|suggestions?))*"
    r"|(?:i )?hope (?:this|that|it) helps(?: you| someone| out)?|good luck"
    r"|(?:un |muchos )?(?:cordial )?saludos?(?: a todos| cordiales)?|atentamente|cordialmente|suerte"
    r"|(?:muchas |mil )?gracias(?: a todos| de antemano| por (?:la|su|tu|vuestra) (?:ayuda|atenci[oó]n|respuesta))*"
    r"|espero (?:que (?:te |les |le |os )?(?:sirva|ayude)|haber ayudado))"
)
_CLOSING = re.compile(rf"[ ]*{_CLOSING_WORDS}[ ]*[,.!:;)\-–🙂]*[ ]*", re.IGNORECASE)
_LAST_SENTENCE = re.compile(rf"(?<=[.!?…)])[ ]+{_CLOSING_WORDS}[ ]*[,.!]*\Z", re.IGNORECASE)
_SIGNED = re.compile(rf"[ ]*[-–~]{{0,2}}[ ]?{_NAME}(?: {_NAME}){{0,2}}[ ]*\.?[ ]*")
_DEVICE = re.compile(
    r"(?:sent (?:from|via) (?:my |the |mail for )|get outlook for |enviado desde (?:mi|el) |posted via )", re.IGNORECASE
)
_WROTE = re.compile(
    r"(?:on |el |am |le )?.{1,150}\b(?:wrote|said|escribi[oó]|dijo|schrieb|a écrit)[ ]?:", re.IGNORECASE | re.DOTALL
)
_FORWARDED = re.compile(r"-{2,10} ?(?:original message|mensaje original|forwarded message) ?-{2,10}", re.IGNORECASE)
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
#: in a title: "vector<int>", "a <template>", "if a < b" are words, not HTML
_NO_TAG = re.compile(
    r"<(?!/?(?:a|b|big|br|code|div|em|font|h[1-6]|i|iframe|img|kbd|li|mark|p|pre|q|s|script|small|span|strong|style|sub|sup|svg"
    r"|tt|u|ul|wbr)"
    r"(?:\s[^<>]*)?/?>)",
    re.IGNORECASE,
)
_SPACES = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def clean_html(html: str, base: str = "") -> str:
    """What a post says: plain text of at most 50,000 characters, steps and code lines on their own lines.

    `base` is the address of the page, for relative links. Empty for a post without words. Never raises.
    """
    return _said(text_of(plain(html[:MAX_HTML]), base))


def clean_text(text: str) -> str:
    """As `clean_html`, of a post that is plain text already."""
    return _said(plain(text[:MAX_TEXT]))


def clean_line(text: str) -> str:
    """A title, plain or HTML, as one line of at most 2,000 characters."""
    line = plain(text[: 4 * MAX_LINE])
    if "<" in line or "&" in line:
        line = text_of(_NO_TAG.sub("&lt;", line))
    return " ".join(line.split())[:MAX_LINE]


def plain(text: str) -> str:
    """`text` in normal form C, line ends as \\n, without what is no text: NUL, control and direction characters,
    lone surrogates, invisible spaces."""
    text = _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n"))
    text = _SPACES.sub(" ", text.replace("\u2028", "\n").replace("\u2029", "\n"))
    return unicodedata.normalize("NFC", text)


def _said(text: str) -> str:
    """Quotes, signature and greeting taken off; the whole text where nothing else would be left."""
    lines = [line.rstrip() for line in text.split("\n")]
    lines = _without_signature(_without_quotes(lines))
    said = _tidy("\n".join(lines))
    if greeting := _GREETING.match(said):
        rest = said[greeting.end() :]
        said = rest[:1].upper() + rest[1:] if rest else said
    if closing := _LAST_SENTENCE.search(said, max(0, len(said) - 200)):
        said = said[: closing.start()]
    return said or _tidy(text)


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n").rstrip()


def _without_quotes(lines: list[str]) -> list[str]:
    """Without lines that begin with ">", the "X wrote:" before them, and a forwarded message."""
    kept: list[str] = []
    for line in lines:
        if _FORWARDED.match(line.strip()):
            break
        if not line.startswith(">"):
            kept.append(line)
            continue
        while kept and not kept[-1]:
            kept.pop()
        if kept and len(kept[-1]) < 200 and _WROTE.fullmatch(kept[-1].strip()):
            kept.pop()
    return kept


def _without_signature(lines: list[str]) -> list[str]:
    """Without the signature mark "--" and what follows it, "Sent from my phone", and the last thanks and names."""
    lines = [line for line in lines if not (len(line) < 80 and _DEVICE.match(line.strip()))]
    for place in range(max(1, len(lines) - 12), len(lines)):
        if lines[place].strip() in ("--", "—", "__", "___"):
            lines = lines[:place]
            break
    for _ in range(4):
        while lines and not lines[-1].strip():
            lines.pop()
        if (len(lines) > 1 and _CLOSING.fullmatch(lines[-1][:200])) or (
            len(lines) > 2 and _SIGNED.fullmatch(lines[-1][:80]) and _closes(lines)
        ):
            lines.pop()
        else:
            break
    return lines


def _closes(lines: list[str]) -> bool:
    """Whether the last line with words before the very last is a closing formula."""
    before = next((line for line in reversed(lines[:-1]) if line.strip()), "")
    return _CLOSING.fullmatch(before[:200]) is not None
