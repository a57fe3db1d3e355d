"""What of a community post can be read aloud on a telephone. Pure; strict, since nobody proof-reads it."""

import re
import unicodedata

MAX_SHORT_WORDS = 45
MIN_SHORT_WORDS = 5


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_LINK = _any_of(
    r"https?:|www\.|\]\(",
    r"\b[\w.+-]+@[\w-]+\.\w",
    r"\b[\w-]+\.(?:com|org|net|io|gov|edu|info|example|html?)\b",
)
_CODE = _any_of(
    r"[`{}<>|\\~^=#$_]|::|\(\)|&\w+;|\w/\w+/|(?:^|\s)--?[a-z]",
    r"\b\w+\.(?:exe|dll|js|py|sh|json|xml|cfg|ini|conf|msf|dat|log|zip)\b",
    r"\b\d+(?:\.\d+){3}\b",
)
_ELSEWHERE = _any_of(
    r"\b(?:see|as|shown|mentioned|described|posted|listed|said|wrote)\s+(?:\w+\s+)?(?:above|below)\b",
    r"\b(?:above|below)\s*[:.]|\b(?:this|edit|update):",
    r"\b(?:screen ?shots?|screen ?caps?|attach(?:ed|ments?)|pictures?|images?|quoted?|voted|p\.?s\.)\b",
    r"\b(?:this|that|these|following) (?:links?|threads?|posts?|articles?|pages?|tutorials?|videos?)\b",
    r"\b(?:click|look|go|read|check) here\b|\bfrom here\b|\bthe links?\b",
    r"\b(?:ver|véase|como se ve) (?:más )?(?:arriba|abajo)\b|\bcapturas?\b|\badjunt\w+",
    r"\b(?:este|el siguiente) (?:enlace|hilo|video)\b|\bhaz clic aquí\b",
)
_GREETING = re.compile(
    r"(?:hi|hello|hey|hola|buenas|buenos d[ií]as|good (?:morning|afternoon|evening)|dear|thanks?|thank you"
    r"|gracias|welcome|bienvenid[oa])\b(?! to\b| a\b)[^.,!?:;\n]{0,40}[,.!:\n]+\s*",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"(?:[-*+•·–]|\(?\d{1,2}[.):]|\(?[a-z][.)]|(?:step|paso) \d+\b)\s+\S", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=[\"'(¿¡]*[A-ZÀ-Þ0-9¿¡])")
_ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|approx|vs|mr|mrs|ms|dr|p\.ej|ej|sr|sra|ud|uds|núm|[A-Z])\.$",
    re.IGNORECASE,
)
_PUNCTUATION = frozenset(".,;:!?¡¿'’\"“”()-–…")
_UNSAID = frozenset('*_`~^#{}<>[]()|\\=+@"“”«»')
_DANGLING = frozenset(
    {"a", "an", "the", "to", "of", "in", "on", "at", "for", "with", "and", "or", "but", "from", "by", "my"}
    | {"your", "its", "is", "are", "was", "when", "after", "before", "while", "if", "that", "this", "try"}
    | {"un", "una", "el", "la", "los", "las", "de", "del", "en", "con", "para", "por", "y", "o", "mi", "su"}
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")


def speakable(text: str) -> bool:
    """Whether `text` makes sense read aloud: words in Latin script, no code, link, e-mail address or
    pointer to something only a reader sees, and hardly a symbol."""
    words = _WORD.findall(text)
    if not words or _LINK.search(text) or _CODE.search(text) or _ELSEWHERE.search(text):
        return False
    if any(len(word) > 30 or sum(map(str.isdigit, word)) > 4 for word in words):
        return False
    visible = [letter for letter in text if not letter.isspace()]
    letters = sum(letter.isalnum() for letter in visible)
    symbols = sum(not letter.isalnum() and letter not in _PUNCTUATION for letter in visible)
    return (
        letters >= 0.6 * len(visible) and symbols <= 0.1 * len(visible) and all(_is_sayable(letter) for letter in text)
    )


def short_version(answer: str, max_words: int = MAX_SHORT_WORDS) -> str | None:
    """The beginning of `answer` in whole sentences, at most `max_words` words, to be read to a caller.

    A greeting is left out. It ends before a list, and before the first sentence that cannot be spoken.
    None when the answer opens with such a sentence, with a question back, or says too little.
    """
    chosen: list[str] = []
    count = 0
    for place, sentence in enumerate(_opening_sentences(answer[:4000])):
        words = len(sentence.split())
        if sentence.endswith("?") and place < 2:
            return None  # it asks for details: no fix yet
        if count + words > max_words or sentence.endswith(("?", ":")) or not speakable(sentence):
            break
        chosen.append(sentence if sentence[-1] in ".!…" else sentence + ".")
        count += words
    return " ".join(chosen) if count >= MIN_SHORT_WORDS else None


def spoken_title(title: str, max_words: int = 12) -> str:
    """`title` as it is read within a sentence: tags in brackets, links and symbols removed, cut at a word.

    Empty when nothing of it can be said.
    """
    text = unicodedata.normalize("NFKC", title[:2000])
    text = re.sub(r"\[[^\]]*\]|</?\w{1,20}>|https?:\S+|www\.\S+|\S+@\S+\.\S+", " ", text)
    text = re.sub(r"\s*(?:->|=>|→|»|>|/|\||\\)\s*", ", ", text)
    text = "".join(letter if _is_sayable(letter) and letter not in _UNSAID else " " for letter in text)
    text = re.sub(r"\s+([,.;:?!])", r"\1", text)
    text = re.sub(r"([,.;:?!])[,.;:?!]+", r"\1", text)
    words = [word for word in text.split() if _WORD.search(word) and len(word) <= 30]
    words = words[:max_words]
    while len(words) > 3 and words[-1].casefold() in _DANGLING:
        words.pop()
    return " ".join(words).strip(" ,.;:!?¡¿-'\"")


def speakable_name(name: str) -> bool:
    """Whether a display name can be said to a caller: one to four words of letters that read as a name."""
    words = name.split()
    if not 1 <= len(words) <= 4 or len(name) > 40:
        return False
    return all(_is_name_word(word.strip(".")) for word in words)


def _is_name_word(word: str) -> bool:
    letters = re.sub(r"['’-]", "", word)
    if not letters.isalpha() or len(letters) > 15 or not all(_is_sayable(letter) for letter in letters):
        return False
    if len(letters) == 1:
        return letters.isupper()
    inner_capitals = sum(letter.isupper() for letter in letters[1:])
    vowels = any(letter in "aeiouy" for letter in _bare(letters))
    return vowels and inner_capitals <= 1 and re.search(r"(.)\1\1", letters.casefold()) is None


def _bare(text: str) -> str:
    """Lower case without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))


def _is_sayable(letter: str) -> bool:
    """Latin letters, digits, spaces and punctuation; no other script, emoji or control character."""
    if letter.isspace():
        return True
    kind = unicodedata.category(letter)
    if kind[0] == "L":
        return "LATIN" in unicodedata.name(letter, "")
    return (kind == "Nd" and letter.isascii()) or kind[0] == "P" or letter in "$£€%+°"


def _opening_sentences(answer: str) -> list[str]:
    """Sentences of the text before its first list, without a greeting."""
    paragraphs: list[str] = [""]
    for line in map(str.strip, answer.strip().splitlines()):
        if _LIST_MARK.match(line):
            break
        if not line:
            paragraphs.append("")
        elif line[0].isupper() and paragraphs[-1][-1:] != ",":
            paragraphs.append(line)  # its own sentence, though the line before lacks a full stop
        else:
            paragraphs[-1] += " " + line
    sentences: list[str] = []
    for paragraph in paragraphs:
        sentences += _sentences(_plain(paragraph))
    while sentences and (greeting := _GREETING.match(sentences[0])):
        rest = sentences[0][greeting.end() :]
        sentences[:1] = [rest[0].upper() + rest[1:]] if rest else []
    while sentences and _GREETING.fullmatch(sentences[0] + "\n"):
        sentences.pop(0)
    return sentences


def _plain(text: str) -> str:
    """Marks of emphasis removed, menu arrows turned into commas, white space made single."""
    text = re.sub(r"(\*\*|__|\*)(\S(?:.*?\S)?)\1", r"\2", text)
    if "<" not in text:
        text = re.sub(r"\s*(?:[-=]>|→|»)\s*|(?<=\w)\s*>\s*(?=\w)", ", ", text)
    return " ".join(text.split()).rstrip(" -")


def _sentences(paragraph: str) -> list[str]:
    found: list[str] = []
    for part in _SENTENCE_END.split(paragraph):
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] += " " + part
        elif part.strip():
            found.append(part.strip())
    return found
