"""Words of one menu that a recogniser, or a caller, cannot tell apart."""

from ivr.call.plan import Language, Menu
from ivr.planfile.problems import Place, Problems
from ivr.planfile.spoken import NUMBER_WORDS, plain, sounds_like

#: these reach the queue from anywhere and can name no choice
AGENT_WORDS = {
    "en": ("agent", "operator", "representative", "person", "human", "real person", "speak to someone"),
    "es": ("agente", "operador", "operadora", "representante", "persona", "hablar con alguien"),
}


def check_rivals(
    menu: Menu, places: list[Place], languages: tuple[Language, ...], problems: Problems
) -> None:
    """`languages`: those that may be chosen in this menu by their names (none below the main menu)."""
    codes = dict.fromkeys(code for choice in menu.choices for code in (*choice.label, *choice.synonyms))
    for code in codes:
        owner: dict[str, str] = {plain(word): "an agent" for word in AGENT_WORDS.get(code, ())}
        owner |= {plain(name): f"the language '{one.code}'" for one in languages for name in one.names}
        owner |= {word: f"key {number}" for number, word in enumerate(NUMBER_WORDS.get(code, ()))}
        _check_words(menu, code, places, owner, problems)
        _check_sound(menu, code, places, problems)


def _check_words(
    menu: Menu, code: str, places: list[Place], owner: dict[str, str], problems: Problems
) -> None:
    for choice, place in zip(menu.choices, places, strict=True):
        mine = f"choice '{choice.id}'"
        said = (choice.label.get(code, ""), *choice.synonyms.get(code, ()))
        for word in {plain(one): one for one in said if one}.values():
            other = owner.setdefault(plain(word), mine)
            if other not in (mine, f"key {choice.key}"):
                problems.error(
                    place,
                    f"'{word}' ({code}) of {mine} already means {other}",
                    "Take the word from one of them",
                )


def _check_sound(menu: Menu, code: str, places: list[Place], problems: Problems) -> None:
    labels = [
        (choice, choice.label.get(code, ""), place)
        for choice, place in zip(menu.choices, places, strict=True)
    ]
    for n, (choice, label, place) in enumerate(labels):
        for other, other_label, _ in labels[:n]:
            if (
                label
                and other_label
                and plain(label) != plain(other_label)
                and sounds_like(label, other_label)
            ):
                problems.warn(
                    place,
                    f"the labels of '{choice.id}' and '{other.id}' sound alike ({code}): '{label}', '{other_label}'",
                    "Name one of them differently",
                )
