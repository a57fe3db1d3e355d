"""The menu file as a whole: its text in, the plan and every problem out."""

from dataclasses import dataclass

from ivr.call.plan import Plan
from ivr.planfile.fields import Fields, did_you_mean
from ivr.planfile.languages import read_languages
from ivr.planfile.lengths import check_lengths
from ivr.planfile.menus import MenuReader
from ivr.planfile.offers import read_offers
from ivr.planfile.problems import Problem, Problems, shown
from ivr.planfile.queues import phone_number, read_hours, read_queues
from ivr.planfile.sentences import read_wording
from ivr.planfile.spoken import check_written
from ivr.planfile.tree import read_tree
from ivr.texts.smsable import to_gsm


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says. `plan` is there whenever calls could be played with it, also beside errors that keep
    it from being published (a sentence too long, a rule that came with a later release)."""

    plan: Plan | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What refuses the file."""
        return tuple(one for one in self.problems if one.error)


def read_plan(raw: bytes, version: int = 0) -> Reading:
    """Read a menu file. Never raises: whatever is wrong is in `problems`."""
    problems = Problems()
    root = read_tree(raw, problems)
    if root is None or root.kind != "map":
        if root is not None:
            problems.error(root.place, "the file is no block of keys", "Begin with 'brand: YOUR NAME'")
        return Reading(None, problems.all())
    top = Fields(root, "the file", problems)
    brand = _brand(top)
    languages = read_languages(top)
    codes = tuple(one.code for one in languages)
    hours = read_hours(top.needed("hours"), codes, problems)
    queues = read_queues(top.needed("queues"), hours, codes, problems)
    default_queue = _default_queue(top, list(queues))
    wording, places = read_wording(top.needed("wording"), codes, problems)
    offers = read_offers(top.optional("offers"), problems)
    check_lengths(wording, places, brand, offers, problems)
    menu_node = top.needed("menu")
    menu = MenuReader(languages, frozenset(queues), wording, problems).menu(menu_node) if menu_node else None
    community_url = _community_url(top)
    callback_number = phone_number(top, "callback_number")
    top.close()
    plan = None
    if menu is not None and languages:
        plan = Plan(
            version=version,
            brand=brand,
            main=menu,
            queues=queues,
            default_queue=default_queue,
            languages=languages,
            wording=wording,
            offers=offers,
            community_url=community_url,
            callback_number=callback_number,
        )
    return Reading(plan if plan and _playable(plan) else None, problems.all())


def _brand(top: Fields) -> str:
    brand = top.text("brand")
    check_written(brand, top.place_of("brand"), "'brand'", top.problems)
    if len(brand) > 30:
        top.error(
            top.place_of("brand"),
            "'brand' is longer than 30 characters",
            "It stands in every text: shorten it",
        )
    elif brand and not any(letter.isalnum() for letter in to_gsm(brand)):
        todo = "Every text begins with it: write it in Latin letters or digits"
        top.error(top.place_of("brand"), "'brand' has nothing a text can carry", todo)
    return brand


def _default_queue(top: Fields, queues: list[str]) -> str:
    name = top.text("default_queue")
    if name and name not in queues:
        top.error(top.place_of("default_queue"), f"'{shown(name)}' is no queue", did_you_mean(name, queues))
    return name


def _community_url(top: Fields) -> str:
    url = top.text("community_url", "")
    if url and (not url.startswith("https://") or any(letter.isspace() or not letter.isprintable() for letter in url)):
        top.error(top.place_of("community_url"), f"'{shown(url)}' is no address", "Write it as https://...")
        return ""
    return url


def _playable(plan: Plan) -> bool:
    """Whether a call can be led to its end: every queue that is named exists, every choice leads on."""
    if plan.default_queue not in plan.queues:
        return False
    menus = [plan.main]
    for menu in menus:
        for choice in menu.choices:
            if choice.menu is not None:
                menus.append(choice.menu)
            elif choice.leaf is None or choice.leaf.queue not in plan.queues:
                return False
            if not choice.id or not choice.key or not choice.label:
                return False
    return all(menu.choices for menu in menus)
