"""Words of one menu that nobody can tell apart: judged by the very code that listens to callers."""

from ivr.call.plan import Language, Menu
from ivr.call.understand import pure, spoken_key, wants_agent, wants_repeat
from ivr.planfile.problems import Place, Problems, shown
from ivr.planfile.spoken import sounds_like


def check_rivals(menu: Menu, places: list[Place], languages: tuple[Language, ...], problems: Problems) -> None:
    """`places`: of the choices. `languages`: those to be chosen here by name (none below the main menu)."""
    for code in dict.fromkeys(code for choice in menu.choices for code in (*choice.label, *choice.synonyms)):
        names = {pure(name): f"the language '{one.code}'" for one in languages for name in one.names}
        _check_words(menu, code, places, names, problems)
        _check_sound(menu, code, places, problems)


def _check_words(
    menu: Menu, code: str, places: list[Place], owner: dict[tuple[str, ...], str], problems: Problems
) -> None:
    for choice, place in zip(menu.choices, places, strict=True):
        mine = f"choice '{choice.id}'"
        for phrase in (choice.label.get(code, ""), *choice.synonyms.get(code, ())):
            other = _fixed_meaning(phrase, choice.key) if phrase else mine
            other = other or owner.setdefault(pure(phrase), mine)
            if other != mine:
                problems.error(
                    place,
                    f"'{shown(phrase)}' ({code}) of {mine} already means {other}",
                    "Take the word from one of them",
                )


def _fixed_meaning(phrase: str, key: str) -> str | None:
    """What the words mean in every menu, before its choices are looked at."""
    if (number := spoken_key(phrase)) not in (None, key):
        return f"the key {number}"
    if wants_agent(phrase):
        return "an agent"
    return "'repeat that'" if wants_repeat(phrase) else None


def _check_sound(menu: Menu, code: str, places: list[Place], problems: Problems) -> None:
    labels = [(one.id, one.label.get(code, ""), place) for one, place in zip(menu.choices, places, strict=True)]
    for n, (name, label, place) in enumerate(labels):
        for other, other_label, _ in labels[:n]:
            if label and other_label and pure(label) != pure(other_label) and sounds_like(label, other_label):
                problems.warn(
                    place,
                    f"the labels of '{name}' and '{other}' sound alike ({code}): '{label}', '{other_label}'",
                    "Name one of them differently",
                )
