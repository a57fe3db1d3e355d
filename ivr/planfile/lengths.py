"""What only shows when sentences come together: an offer, a text or a menu's prompt as a whole."""

from dataclasses import dataclass

from gsm0338 import Codec

from ivr.call.plan import Language, Menu, OfferRules
from ivr.call.wording import fill
from ivr.planfile.problems import Place, Problems
from ivr.planfile.sentences import Places, Wording, is_written, length
from ivr.planfile.spoken import count

OFFER_WORDS = 40
TITLE_WORDS = 12
FOLLOW_UP_TITLE_WORDS = 4
MENU_WORDS = 75
SEGMENT = 160
LINK = 32
TITLE_ROOM = 30
_GSM = Codec()


@dataclass(frozen=True, slots=True)
class Sentences:
    """The wording in one language, with where each sentence stands."""

    code: str
    templates: dict[str, str]
    places: Places

    def has(self, *keys: str) -> bool:
        """Whether all of these were given."""
        return all(key in self.templates for key in keys)

    def place(self, key: str) -> Place:
        """Where a sentence stands."""
        return self.places[self.code, key]


def check_lengths(wording: Wording, places: Places, brand: str, offers: OfferRules, problems: Problems) -> None:
    """Offers and texts in each language."""
    for code, templates in wording.items():
        sentences = Sentences(code, templates, places)
        for opening, prefix in (("offer_opening", ""), ("closed_offer_opening", "closed_"), ("reminder", "")):
            for ending in ("offer_text_or_hear", "offer_text", "offer_hear"):
                if sentences.has(opening, prefix + ending):
                    _check_offer(sentences, opening, prefix + ending, offers, problems)
        _check_text(sentences, brand, problems)
        for key in templates:
            if key.startswith(("text_", "reply_")):
                _check_gsm(sentences, key, problems)


def _check_offer(sentences: Sentences, opening: str, key: str, offers: OfferRules, problems: Problems) -> None:
    words = length(sentences.templates[opening]) + length(sentences.templates[key])
    called = f"'{opening}' with '{key}' ({sentences.code})"
    if words > OFFER_WORDS:
        problems.error(
            sentences.place(key),
            f"{called} takes {words} words to say with a title of {TITLE_WORDS}",
            f"Bring it down to {OFFER_WORDS}: callers forget what comes before",
        )
    elif offers.follow_up and "text" in key and sentences.has("follow_up_notice"):
        room = OFFER_WORDS - words + TITLE_WORDS - length(sentences.templates["follow_up_notice"])
        if room < FOLLOW_UP_TITLE_WORDS:
            problems.error(
                sentences.place("follow_up_notice"),
                f"{called} and this notice leave {max(room, 0)} words for a title",
                f"Shorten them to leave {FOLLOW_UP_TITLE_WORDS}, or write 'follow_up: false'",
            )


def _check_text(sentences: Sentences, brand: str, problems: Problems) -> None:
    for key in ("text_link", "text_news", "text_follow_up"):
        words = sentences.templates.get(key, "STOP HELP").split()
        for needed in ("STOP",) if key == "text_follow_up" else ("STOP", "HELP"):
            if not any(word.strip(".,;:!()") == needed for word in words):
                problems.error(
                    sentences.place(key),
                    f"'{key}' ({sentences.code}) does not say {needed}",
                    "Carriers demand it, in capitals and in English: 'STOP to end, HELP for help'",
                )
    if not sentences.has("text_link"):
        return
    fixed = fill(sentences.templates["text_link"], {"brand": brand, "title": "", "link": "x" * LINK})
    room = SEGMENT - septets(fixed)
    place = sentences.place("text_link")
    if room < 10:
        problems.error(
            place,
            f"'text_link' ({sentences.code}) leaves {room} characters for the title",
            "Shorten it: a text has 160",
        )
    elif room < TITLE_ROOM:
        problems.warn(
            place,
            f"'text_link' ({sentences.code}) leaves {room} characters for the title with a link of {LINK}",
            f"Shorten it to leave {TITLE_ROOM}",
        )
    if room >= 10 and septets(sentences.templates.get("text_discreet_title", "")) > room:
        problems.error(
            sentences.place("text_discreet_title"),
            f"'text_discreet_title' ({sentences.code}) is longer than the {room} characters of a title",
            "Shorten it",
        )


def _check_gsm(sentences: Sentences, key: str, problems: Problems) -> None:
    assert is_written(key)
    odd = sorted({letter for letter in sentences.templates[key] if not _in_gsm(letter)})
    if odd:
        problems.error(
            sentences.place(key),
            f"'{key}' ({sentences.code}) has {' '.join(odd)}, which makes a text cost twice as much",
            "Write it without (a for á, plain quotation marks, '-' for a dash)",
        )


def _in_gsm(letter: str) -> bool:
    try:
        _GSM.encode(letter)
    except UnicodeEncodeError:
        return False
    return True


def septets(text: str) -> int:
    """Length in a text of the GSM alphabet; letters outside it count as one and are noted elsewhere."""
    return sum(len(_GSM.encode(letter)[0]) if _in_gsm(letter) else 1 for letter in text)


def check_menu_length(
    menu: Menu,
    place: Place,
    wording: Wording,
    languages: tuple[Language, ...],
    problems: Problems,
    *,
    main: bool,
) -> None:
    """Warns when a menu's whole prompt is longer than anybody remembers."""
    for code, templates in wording.items():
        choice = templates.get("menu_choice", "")
        said = count(menu.intro.get(code, "")) + count(templates.get("menu_or_say", ""))
        said += sum(count(fill(choice, {"label": one.label.get(code, ""), "key": one.key})) for one in menu.choices)
        if main:
            said += length(templates.get("greeting", ""))
            said += sum(count(one.invite) for one in languages if one.code != code)
        if said > MENU_WORDS:
            problems.warn(
                place,
                f"the prompt of menu '{menu.id}' ({code}) has {said} words",
                f"Shorten labels or move choices into a menu of their own: {MENU_WORDS} are plenty",
            )
