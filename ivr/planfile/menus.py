"""The menu tree of the menu file: menus, choices and leaves, each with its own problems."""

import re
from dataclasses import dataclass, field

from ivr.call.plan import Choice, Language, Leaf, Menu
from ivr.planfile.fields import Fields, did_you_mean
from ivr.planfile.lengths import check_menu_length
from ivr.planfile.problems import Place, Problems, shown
from ivr.planfile.rivals import check_rivals
from ivr.planfile.sentences import Wording
from ivr.planfile.spoken import check_spoken, words_of
from ivr.planfile.tree import Node

MOST_CHOICES = 5
_ARTICLE_ID = re.compile(r"[A-Za-z0-9._:-]{1,80}")
_TAG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
#: what a text must not name unless the leaf says so itself
_DISCREET = frozenset({"billing", "account"})


@dataclass(slots=True)
class MenuReader:
    """Reads the tree; knows what the menus refer to and which ids are taken."""

    languages: tuple[Language, ...]
    queues: frozenset[str]
    wording: Wording
    problems: Problems
    taken: dict[str, Place] = field(default_factory=dict)

    @property
    def codes(self) -> tuple[str, ...]:
        """The language codes."""
        return tuple(one.code for one in self.languages)

    def menu(self, node: Node, path: tuple[str, ...] = ()) -> Menu:
        """A menu and all below it. `path`: ids of the choices that lead to it."""
        fields = Fields(node, "a menu" if path else "the main menu", self.problems)
        menu_id = fields.name_of("id")
        fields.name = f"menu '{menu_id}'"
        self._take("menu", menu_id, fields.place_of("id"))
        intro = words_of(fields, "intro", self.codes, needed=False, most=25)
        fields.needed("choices")
        nodes = fields.items("choices")
        choices = tuple(self._choice(one, path) for one in nodes)
        fields.close()
        menu = Menu(menu_id, choices, intro)
        self._check_choices(menu, nodes, fields.place, main=not path)
        return menu

    def _check_choices(self, menu: Menu, nodes: list[Node], place: Place, *, main: bool) -> None:
        if not nodes:
            self.problems.error(place, f"menu '{menu.id}' has no choices", "Add one, or make it a leaf")
        if len(nodes) > MOST_CHOICES:
            self.problems.error(
                nodes[MOST_CHOICES].place,
                f"menu '{menu.id}' has {len(nodes)} choices",
                f"Keep {MOST_CHOICES}: move the rarer ones into a menu of their own",
            )
        seen: dict[str, str] = {one.key: f"the language '{one.code}'" for one in self.languages if one.key and main}
        ids: set[str] = set()
        for choice, node in zip(menu.choices, nodes, strict=True):
            if choice.key and choice.key in seen:
                what = f"key {choice.key} already belongs to {seen[choice.key]}"
                self.problems.error(node.place, what, "Give each its own key")
            if choice.id and choice.id in ids:
                self.problems.error(node.place, f"choice '{choice.id}' is given twice", "Give each its own id")
            seen.setdefault(choice.key, f"choice '{choice.id}'")
            ids.add(choice.id)
        check_rivals(menu, [node.place for node in nodes], self.languages if main else (), self.problems)
        check_menu_length(menu, place, self.wording, self.languages, self.problems, main=main)

    def _take(self, kind: str, name: str, place: Place) -> None:
        first = self.taken.setdefault(f"{kind} {name}", place)
        if name and first != place:
            self.problems.error(place, f"{kind} '{name}' is given twice", f"The first is in line {first.line}")

    def _choice(self, node: Node, path: tuple[str, ...]) -> Choice:
        fields = Fields(node, "a choice", self.problems)
        choice_id = fields.name_of("id")
        fields.name = f"choice '{choice_id}'"
        here = (*path, choice_id)
        key = self._key(fields)
        label = words_of(fields, "label", self.codes, most=8)
        self._check_label(fields, label)
        synonyms = self._synonyms(fields)
        below, end = fields.optional("menu"), fields.optional("leaf")
        if below and end:
            fields.error(end.place, f"{fields.name} has a menu and a leaf", "Keep one of the two")
        elif not below and not end:
            fields.error(fields.place, f"{fields.name} leads nowhere", "Add 'menu:' or 'leaf:' below it")
        fields.close()
        return Choice(
            id=choice_id,
            key=key,
            label=label,
            synonyms=synonyms,
            menu=self.menu(below, here) if below and not end else None,
            leaf=self._leaf(end, here) if end else None,
        )

    def _key(self, fields: Fields) -> str:
        key = fields.text("key")
        place = fields.place_of("key")
        if key in ("0", "*", "#"):
            why = {"0": "always reaches an agent", "*": "always repeats", "#": "ends a typed number"}[key]
            fields.error(place, f"the key {key} of {fields.name} {why}", "Use 1 to 9")
        elif key and not re.fullmatch(r"[1-9]", key):
            fields.error(place, f"'{shown(key)}' is no key", "Use one digit from 1 to 9")
        return key

    def _check_label(self, fields: Fields, label: dict[str, str]) -> None:
        for code, words in label.items():
            if words.endswith((".", ",", ";", ":", "!", "?")):
                fields.error(
                    fields.place_of("label"),
                    f"'label' ({code}) of {fields.name} ends with '{words[-1]}'",
                    "Take it away: the label stands inside a sentence",
                )

    def _synonyms(self, fields: Fields) -> dict[str, tuple[str, ...]]:
        node = fields.optional("synonyms")
        if node is None:
            return {}
        inner = Fields(node, f"'synonyms' of {fields.name}", self.problems)
        found = {code: inner.texts(code) for code in self.codes}
        inner.close()
        for code, nodes in found.items():
            for one in nodes:
                check_spoken(one.text, one.place, f"a synonym ({code}) of {fields.name}", self.problems)
                if len(one.text) > 100:  # the carrier's limit for a hint
                    self.problems.error(one.place, "a synonym is too long", "Stay under 100 characters")
        return {code: tuple(one.text.strip() for one in nodes) for code, nodes in found.items() if nodes}

    def _leaf(self, node: Node, path: tuple[str, ...]) -> Leaf:
        fields = Fields(node, "a leaf", self.problems)
        leaf_id = fields.name_of("id")
        fields.name = f"leaf '{leaf_id}'"
        self._take("leaf", leaf_id, fields.place_of("id"))
        queue = fields.text("queue")
        if queue and queue not in self.queues:
            advice = did_you_mean(queue, sorted(self.queues))
            fields.error(fields.place_of("queue"), f"'{shown(queue)}' is no queue", advice)
        tags = self._tags(fields)
        forbidden = frozenset(one.text for one in self._articles(fields, "forbidden"))
        leaf = Leaf(
            id=leaf_id,
            queue=queue,
            topic=words_of(fields, "topic", self.codes, most=8),
            ask=fields.flag("ask", False),
            pinned=self._pinned(fields),
            allowed_tags=tags,
            forbidden=forbidden,
            never_offer=fields.flag("never_offer", False),
            discreet=fields.flag("discreet", bool(_DISCREET & {*tags, *path, queue, leaf_id})),
        )
        if leaf.never_offer and leaf.pinned:
            what = f"{fields.name} never offers an article but pins one"
            fields.error(fields.place_of("pinned"), what, "Delete 'pinned' or 'never_offer'")
        both = sorted(forbidden & {one for ids in leaf.pinned.values() for one in ids})
        if both:
            what = f"{fields.name} pins and forbids '{both[0]}'"
            fields.error(fields.place_of("forbidden"), what, "Keep it in one of the two")
        fields.close()
        return leaf

    def _tags(self, fields: Fields) -> frozenset[str]:
        nodes = fields.texts("allowed_tags")
        for node in nodes:
            if not _TAG.fullmatch(node.text):
                fields.error(node.place, f"'{shown(node.text)}' is no tag", "Use small letters, digits and '-'")
        return frozenset(node.text for node in nodes)

    def _articles(self, fields: Fields, key: str) -> list[Node]:
        nodes = fields.texts(key)
        for node in nodes:
            if not _ARTICLE_ID.fullmatch(node.text):
                self.problems.error(node.place, f"'{shown(node.text)}' is no article id", "Copy it from the article")
        return nodes

    def _pinned(self, fields: Fields) -> dict[str, tuple[str, ...]]:
        node = fields.optional("pinned")
        if node is None:
            return {}
        inner = Fields(node, f"'pinned' of {fields.name}", self.problems)
        found = {code: self._articles(inner, code) for code in self.codes}
        inner.close()
        for nodes in found.values():
            if len(nodes) > 2:
                self.problems.warn(nodes[2].place, "a call offers two articles at most", "Pin the best two")
        return {code: tuple(one.text for one in nodes) for code, nodes in found.items() if nodes}
