"""What changed between two plans, in words a manager can check one by one."""

from collections.abc import Iterable, Iterator
from dataclasses import fields

from ivr.call.plan import Choice, Hours, Leaf, Menu, OfferRules, Plan, Queue, Words
from ivr.planfile.queues import DAYS

Line = tuple[str, str]


def differences(before: Plan, after: Plan) -> list[str]:
    """One sentence for each leaf, sentence, rule, queue ... that was added, taken away or changed."""
    old, new = dict(_lines(before)), dict(_lines(after))
    said: list[str] = []
    for name in [*new, *(name for name in old if name not in new)]:
        if name not in old:
            said.append(f"{name}: added{_with(new[name])}")
        elif name not in new:
            said.append(f"{name}: taken away{_with(old[name])}")
        elif old[name] != new[name]:
            said.append(f"{name}: '{old[name]}' became '{new[name]}'")
    return said


def _with(value: str) -> str:
    return f" ('{value}')" if value else ""


def _lines(plan: Plan) -> Iterator[Line]:
    """The whole plan as (what it is, its value): the same name in two plans is the same thing."""
    yield "Brand", plan.brand
    yield "Community address", plan.community_url
    yield "Number to call back", plan.callback_number
    yield "Default queue", plan.default_queue
    for language in plan.languages:
        name = f"Language '{language.code}'"
        yield name, ""
        yield f"{name}, locale", language.locale
        yield f"{name}, voice", language.voice
        yield f"{name}, speech rate", f"{language.rate_percent} %"
        yield f"{name}, key", language.key or "none"
        yield f"{name}, invite", language.invite
        yield f"{name}, names", _listed(language.names)
    for queue in plan.queues.values():
        yield from _queue(queue)
    yield from _menu(plan.main)
    for rule in fields(OfferRules):
        yield f"Offer rule {rule.name}", str(getattr(plan.offers, rule.name))
    for code, sentences in plan.wording.items():
        for key, template in sentences.items():
            yield f"Wording '{key}' ({code})", template


def _queue(queue: Queue) -> Iterator[Line]:
    name = f"Queue '{queue.name}'"
    yield name, ""
    yield from _words(f"{name}, spoken name", queue.spoken)
    yield f"{name}, longest hold", f"{queue.max_hold_s} s"
    yield f"{name}, most callers", str(queue.max_size or "no limit")
    yield f"{name}, overflow number", queue.overflow_number or "none"
    yield f"{name}, workflow", queue.workflow_sid or "none"
    yield from _hours(f"{name}, hours", queue.hours)


def _hours(name: str, hours: Hours) -> Iterator[Line]:
    yield f"{name}, zone", hours.zone
    for day, spans in zip(DAYS, hours.weekly, strict=True):
        yield f"{name} on {day}", _listed(f"{_clock(a)}-{_clock(b)}" for a, b in spans) or "closed"
    yield f"{name}, holidays", _listed(day.isoformat() for day in sorted(hours.holidays)) or "none"
    yield from _words(f"{name}, in words", hours.spoken)


def _menu(menu: Menu) -> Iterator[Line]:
    name = f"Menu '{menu.id}'"
    yield from _words(f"{name}, intro", menu.intro)
    yield f"{name}, order of choices", _listed(choice.id for choice in menu.choices)
    for choice in menu.choices:
        yield from _choice(f"{name}, choice '{choice.id}'", choice)


def _choice(name: str, choice: Choice) -> Iterator[Line]:
    leads_to = f"leaf '{choice.leaf.id}'" if choice.leaf else f"menu '{choice.menu.id}'" if choice.menu else ""
    yield f"{name}, leads to", leads_to
    yield f"{name}, key", choice.key
    yield from _words(f"{name}, label", choice.label)
    for code, synonyms in choice.synonyms.items():
        yield f"{name}, synonyms ({code})", _listed(sorted(synonyms))
    if choice.leaf is not None:
        yield from _leaf(choice.leaf)
    if choice.menu is not None:
        yield from _menu(choice.menu)


def _leaf(leaf: Leaf) -> Iterator[Line]:
    name = f"Leaf '{leaf.id}'"
    yield name, ""
    yield f"{name}, queue", leaf.queue
    yield from _words(f"{name}, topic", leaf.topic)
    yield f"{name}, asks what is wrong", _yes(leaf.ask)
    for code, ids in leaf.pinned.items():
        yield f"{name}, pinned articles ({code})", _listed(ids)
    yield f"{name}, allowed tags", _listed(sorted(leaf.allowed_tags)) or "any"
    yield f"{name}, forbidden articles", _listed(sorted(leaf.forbidden)) or "none"
    yield f"{name}, never offers", _yes(leaf.never_offer)
    yield f"{name}, discreet", _yes(leaf.discreet)


def _words(name: str, words: Words) -> Iterator[Line]:
    for code, text in words.items():
        yield f"{name} ({code})", text


def _listed(items: Iterable[str]) -> str:
    return ", ".join(items)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
