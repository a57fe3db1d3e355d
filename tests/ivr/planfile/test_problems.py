"""Each thing that can be wrong with a menu file is told once, at its line, with what to do, all of them together."""

import pytest

from ivr.planfile.read import read_plan
from ivr.planfile.store import STARTER
from tests.ivr.planfile.conftest import Edit

#: (fragment of the starter menu, what replaces it, fragment of the line that is blamed, what is said)
ERRORS: dict[str, tuple[str, str, str, str]] = {
    "unknown key": ("brand: Lumora", "brand: Lumora\nbrnad: X", "brnad", "'brnad' is unknown in the file"),
    "unknown key of a leaf": (
        "id: mobile-roaming",
        "id: mobile-roaming\n              asks: 1",
        "asks:",
        "'asks' is unknown",
    ),
    "key given twice": ("brand: Lumora", "brand: Lumora\nbrand: Y", "brand: Y", "'brand' is given twice"),
    "missing key": ("default_queue: general\n", "", "brand: Lumora", "the file lacks 'default_queue'"),
    "empty brand": ("brand: Lumora", 'brand: ""', 'brand: ""', "the file lacks 'brand'"),
    "brand no text can carry": ("brand: Lumora", "brand: 東京", "brand: 東京", "'brand' has nothing a text can carry"),
    "no text": ("brand: Lumora", "brand: [a]", "brand: [a]", "'brand' of the file is a list"),
    "sentence missing": (
        "  sending:\n    en: Sending it now.\n    es: Se lo envío ahora.\n",
        "",
        "  greeting:",
        "lacks 'sending'",
    ),
    "sentence missing in one language": (
        "    es: Se lo envío ahora.\n",
        "",
        "    en: Sending it now.",
        "'sending' lacks the language 'es'",
    ),
    "sentence unknown": (
        "  connecting:\n",
        "  sendin: {en: a, es: b}\n  connecting:\n",
        "  sendin:",
        "'sendin' is no sentence of ours",
    ),
    "language unknown": ("    es: Se lo envío ahora.", "    es: Ya.\n    fr: Oui.", "fr: Oui.", "'fr' is unknown"),
    "placeholder not allowed": (
        "en: Sending it now.",
        "en: Sending it to {number}.",
        "Sending it to",
        "has the placeholder {number}",
    ),
    "placeholder missing": (
        "en: You are number {position} in line.",
        "en: In line.",
        "en: In line.",
        "lacks {position}",
    ),
    "lonely brace": ("en: Sending it now.", "en: Sending it } now.", "it } now", "a brace that is no placeholder"),
    "link in a sentence": ("en: Sending it now.", "en: See www.a.b", "www.a.b", "holds a link"),
    "markup in a sentence": ("en: Sending it now.", "en: Sending <b>it</b>.", "<b>", "holds markup"),
    "control character": ("en: Sending it now.", 'en: "Sending\\u202Eit."', "u202E", "control characters (U+202E)"),
    "line break": ("en: Sending it now.", 'en: "Sending\\nit."', "Sending\\nit", "holds a line break"),
    "number without pauses": ("en: Sending it now.", "en: Sending it to 411.", "to 411", "as one big number"),
    "sentence too long": ("en: Sending it now.", f"en: Sending{' it' * 30}.", "it it", "'sending' (en) takes 31 words"),
    "offer too long": (
        "en: To get the steps by text, press 1. Or just keep holding. You won't lose your place.",
        "en: To get all of the steps by text, press 1. Or simply keep on holding."
        " You really won't lose your place at all.",
        "To get all of the",
        "'offer_opening' with 'offer_text' (en) takes 41 words",
    ),
    "key not named": (
        "en: It may not have arrived. To hear it, press 2.",
        "en: It may not be there.",
        "may not be there",
        "'not_arrived_hear' (en) does not name the key 2",
    ),
    "STOP missing": (
        "Reply 1 solved, 2 not. STOP to end, HELP for help",
        "Reply 1 solved, 2 not. HELP for help",
        "2 not. HELP",
        "'text_link' (en) does not say STOP",
    ),
    "HELP missing": (
        "Reply 1 solved, 2 not. STOP to end, HELP for help",
        "Reply 1 solved, 2 not. STOP to end",
        "{title} {link} Reply",
        "'text_link' (en) does not say HELP",
    ),
    "dear letters": ("para eso no tenemos respuesta todavia", "para eso todavía no", "todavía no. Una", "has í"),
    "text too long": (
        "Reply 1 solved, 2 not. STOP to end, HELP for help",
        "Reply 1 if this has solved it for you, or 2 if it has not yet solved it."
        " STOP to end all these texts, HELP for help",
        "Reply 1 if",
        "leaves 9 characters for the title",
    ),
    "choice leads nowhere": (
        "            leaf:\n              id: tv-remote\n              queue: technical\n"
        "              topic: {en: your remote control, es: su control remoto}\n"
        "              ask: true\n              allowed_tags: [tv, device]\n",
        "",
        "- id: remote",
        "choice 'remote' leads nowhere",
    ),
    "leaf without a queue": (
        "id: mobile-roaming\n              queue: technical\n",
        "id: mobile-roaming\n",
        "id: mobile-roaming",
        "leaf 'mobile-roaming' lacks 'queue'",
    ),
    "queue unknown": (
        "id: mobile-roaming\n              queue: technical\n",
        "id: mobile-roaming\n              queue: tecnical\n",
        "queue: tecnical",
        "'tecnical' is no queue",
    ),
    "default queue unknown": ("default_queue: general", "default_queue: genral", "genral", "'genral' is no queue"),
    "leaf twice": ("id: mobile-roaming", "id: mobile-voicemail", "", "leaf 'mobile-voicemail' is given twice"),
    "choice twice": ("- id: roaming", "- id: new-phone", "", "choice 'new-phone' is given twice"),
    "menu twice": ("        id: email-tv\n", "        id: billing\n", "", "menu 'billing' is given twice"),
    "key twice": (
        "    - id: other\n      key: 5",
        "    - id: other\n      key: 4",
        "    - id: other",
        "key 4 already belongs to",
    ),
    "key 0": ("    - id: other\n      key: 5", "    - id: other\n      key: 0", "key: 0", "always reaches an agent"),
    "key *": ("    - id: other\n      key: 5", '    - id: other\n      key: "*"', 'key: "*"', "always repeats"),
    "two digits": ("    - id: other\n      key: 5", "    - id: other\n      key: 12", "key: 12", "'12' is no key"),
    "key of a language": (
        "    - id: other\n      key: 5",
        "    - id: other\n      key: 9",
        "    - id: other",
        "key 9 already belongs to the language 'es'",
    ),
    "rival synonyms": (
        "[control, el control",
        "[sonido, control, el control",
        "- id: email-tv-other",
        "'sonido' (es) of choice 'email-tv-other' already means choice 'remote'",
    ),
    "word for an agent": (
        "[voice mail, mailbox,",
        "[operator, voice mail, mailbox,",
        "- id: voicemail",
        "'operator' (en) of choice 'voicemail' already means an agent",
    ),
    "word for a key": (
        "[voice mail, mailbox,",
        "[number two, voice mail, mailbox,",
        "- id: voicemail",
        "means the key 2",
    ),
    "word for a language": (
        "en: [web, online,",
        "en: [spanish, web, online,",
        "    - id: internet$",
        "the language 'es'",
    ),
    "label with a full stop": ("label: {en: voicemail,", "label: {en: voicemail.,", "en: voicemail.,", "ends with '.'"),
    "label missing in Spanish": (
        "label: {en: voicemail, es: buzón de voz}",
        "label: {en: voicemail}",
        "label: {en: voicemail}",
        "lacks the language 'es'",
    ),
    "pin where nothing is offered": (
        "id: bereavement\n              queue: urgent",
        "id: bereavement\n              pinned: {en: [x]}\n              queue: urgent",
        "pinned: {en: [x]}",
        "never offers an article but pins one",
    ),
    "pin that is no id": ("en: [router-light-red]", "en: [router light]", "router light", "is no article id"),
    "article that is pinned and forbidden": (
        "              pinned: {en: [router-light-red], es: [es-luz-roja-router]}\n",
        "              pinned: {en: [router-light-red], es: [x]}\n              forbidden: [x, y]\n",
        "forbidden: [x, y]",
        "pins and forbids 'x'",
    ),
    "tag with a blank": (
        "allowed_tags: [wifi, router, internet]",
        "allowed_tags: [wi fi]",
        "[wi fi]",
        "'wi fi' is no tag",
    ),
    "hours unknown": ("    hours: office", "    hours: ofice", "hours: ofice", "'ofice' are no hours"),
    "hours past midnight": (
        "monday-friday: 08:00-20:00",
        "monday-friday: 20:00-08:00",
        "20:00-08:00",
        "are no opening hours",
    ),
    "hours that never were": ("monday-friday: 08:00-20:00", "monday-friday: 8-20", "8-20", "are no opening hours"),
    "day unknown": ("monday-friday: 08:00-20:00", "mon-fri: 08:00-20:00", "mon-fri", "'mon-fri' is no day"),
    "day twice": (
        "monday-friday: 08:00-20:00",
        "monday-friday: 08:00-20:00\n      friday: 21:00-22:00",
        "friday: 21",
        "friday is given twice",
    ),
    "hours overlap": (
        "monday-friday: 08:00-20:00",
        "monday: [08:00-12:00, 11:00-13:00]",
        "monday: [",
        "the hours of monday overlap",
    ),
    "never open": ("monday-friday: 08:00-20:00", "monday: closed", "monday: closed", "are never open"),
    "zone unknown": (
        "  office:\n    zone: America/New_York",
        "  office:\n    zone: America/Gotham",
        "Gotham",
        "is no time zone",
    ),
    "date that never comes": ("- 2027-05-31", "- 2027-02-30", "2027-02-30", "is no date"),
    "overflow number": (
        'overflow_number: "+15005550006"',
        'overflow_number: "555"',
        '"555"',
        "'555' is no phone number",
    ),
    "premium number": (
        'overflow_number: "+15005550006"',
        'overflow_number: "+19002345678"',
        "+1900",
        "is a premium number",
    ),
    "listens to nothing known": ("listen: keys #", "listen: voice #", "listen: voice", "'voice' is no way to listen"),
    "holdout too large": ("holdout_share: 0.10", "holdout_share: 0.95", "0.95", "'holdout_share' of 'offers' is 0.95"),
    "position 2": ("min_position: 3", "min_position: 2", "min_position: 2", "'min_position' of 'offers' is 2"),
    "no whole number": ("min_wait_s: 90", "min_wait_s: soon", "min_wait_s: soon", "'min_wait_s' of 'offers' is soon"),
    "yes is not true": ("follow_up: false", "follow_up: yes", "follow_up: yes", "'follow_up' of 'offers' is yes"),
    "voice unknown": ("voice: Polly.Joanna-Neural", "voice: Joanna", "voice: Joanna", "'Joanna' is no voice"),
    "voice of another locale": (
        "voice: Polly.Joanna-Neural",
        "voice: Google.en-GB-Neural2-A",
        "Google",
        "speaks en-GB, not en-US",
    ),
    "locale of another language": ("locale: en-US", "locale: fr-FR", "locale: fr-FR", "'fr-FR' is no locale of 'en'"),
    "invite without its key": (
        "invite: Para español, oprima nueve.",
        "invite: Para español, oprima ocho.",
        "oprima ocho",
        "does not name the key 9",
    ),
    "language key 0": ("    key: 9", "    key: 0", "    key: 0", "'0' is no key for a language"),
    "community without https": ("community_url: https://", "community_url: http://", "http://", "is no address"),
    "anchor": ("brand: Lumora", "brand: &b Lumora", "&b", "anchors (&name) and aliases (*name)"),
    "tag": ("brand: Lumora", "brand: !!python/name:os.system Lumora", "!!python", "is not taken"),
    "too many choices": (
        "          - id: stolen\n            key: 1",
        "          - {id: six, key: 6, label: {en: six thousand, es: seis mil}, leaf: {id: six, queue: general,"
        " topic: {en: six, es: seis}}}\n          - id: stolen\n            key: 1",
        "- id: anything",
        "menu 'other' has 6 choices",
    ),
}

WARNINGS: dict[str, tuple[str, str, str, str]] = {
    "label that sounds like another": (
        "label: {en: voicemail,",
        "label: {en: no cygnal,",
        "- id: voicemail",
        "'voicemail' and 'no-signal' sound alike (en): 'no cygnal', 'no signal'",
    ),
    "key before meaning": (
        "en: It may not have arrived. To hear it, press 2.",
        "en: Press 2 to hear it.",
        "Press 2 to",
        "names the key before what it does",
    ),
    "short title in a text": (
        "Reply 1 solved, 2 not. STOP to end, HELP for help",
        "Reply 1 if this has solved it, or 2 if it has not yet solved it. STOP to end, HELP for help",
        "Reply 1 if",
        "leaves 27 characters for the title with a link of 32",
    ),
    "long menu": (
        "        id: billing\n        choices:\n"
        "          # Everything below is discreet by itself: the text does not name the subject.\n"
        "          - id: charged-twice\n            key: 1\n            label: {en: a double charge,",
        f"        id: billing\n        intro: {{en: B{' b' * 24}, es: b}}\n        choices:\n"
        "          - id: charged-twice\n            key: 1\n            label: {en: a doubled charge here,",
        "        id: billing$",
        "the prompt of menu 'billing' (en) has 76 words",
    ),
    "offers stopped": ("follow_up: false", "stopped: true", "stopped: true", "offers are switched off"),
    "listens to words": ("listen: keys #", "listen: speech and keys #", "listen:", "does not promise"),
    "tiny holdout": ("holdout_share: 0.10", "holdout_share: 0.01", "0.01", "measure nothing for months"),
    "three pins": (
        "en: [router-light-red]",
        "en: [router-light-red, a, b]",
        "red, a, b]",
        "offers two articles at most",
    ),
}
ALONE = {"language key 0"}  # hides what is wrong beside it
Case = tuple[str, str, str, str]


def together(cases: dict[str, Case]) -> list[tuple[str, list[Case]]]:
    """As few broken files as take all cases: (text, the cases in it)."""
    starter = STARTER.read_text("utf-8")
    files: list[tuple[str, list[Case]]] = []
    for name, case in cases.items():
        assert starter.count(case[0]) == 1, name
        for n, (text, there) in enumerate(files):
            broken = text.replace(case[0], case[1])
            if name not in ALONE and text.count(case[0]) == 1 and all(stands(broken, one) for one in (*there, case)):
                files[n] = (broken, [*there, case])
                break
        else:
            files.append((starter.replace(case[0], case[1]), [case]))
            assert stands(files[-1][0], case), name
    return files


def stands(text: str, case: Case) -> bool:
    """Whether a case is still in the text as it was put there."""
    return case[1] in text and len(lines_with(text, case[2])) == 1


def lines_with(text: str, fragment: str) -> list[int | None]:
    """The lines of a fragment; `$` at its end stands for the end of the line. No fragment: any line."""
    return [n for n, line in enumerate(text.splitlines(), 1) if fragment in line + "$"] if fragment else [None]


@pytest.mark.parametrize(("text", "cases"), together(ERRORS) + together(WARNINGS))
def test_all_problems_are_told_at_once_each_where_it_is(text: str, cases: list[Case]) -> None:
    problems = list(read_plan(text.encode()).problems)
    for _, _, fragment, said in cases:
        [line] = lines_with(text, fragment)
        found = [one for one in problems if said in one.what and line in (None, one.place.line)]
        assert len(found) == 1, (said, line, [str(one) for one in problems])
        assert found[0].do
        assert found[0].error is not any(case[3] == said for case in WARNINGS.values())
        problems.remove(found[0])
    assert [str(one) for one in problems] == []


def test_an_unknown_key_gets_the_nearest_known_one(edit: Edit) -> None:
    problem = edit("brand: Lumora", "brand: Lumora\ncomunity_url: x").only()
    assert problem.do == "Did you mean 'community_url'?"


def test_a_file_with_warnings_alone_may_be_published(edit: Edit) -> None:
    reading = edit("follow_up: false", "stopped: true").reading
    assert (len(reading.problems), reading.errors) == (1, ())


def test_follow_ups_leave_room_for_a_title_in_the_starter_menu(edit: Edit) -> None:
    assert edit("follow_up: false", "follow_up: true").reading.problems == ()


def test_a_long_follow_up_notice_is_an_error_only_where_follow_ups_are_on(edit: Edit, starter: str) -> None:
    long = starter.replace("One text later asks if it helped.", "Later today one more text will ask if it has helped.")
    assert read_plan(long.encode()).problems == ()
    refused = read_plan(long.replace("follow_up: false", "follow_up: true").encode()).errors
    assert [one.what for one in refused] == [
        f"'{opening}' with '{key}' (en) and this notice leave {room} words for a title"
        for opening, key, room in (
            ("offer_opening", "offer_text_or_hear", 1),
            ("reminder", "offer_text_or_hear", 3),
        )
    ]


def test_a_plan_with_a_leaf_in_no_queue_cannot_be_played(edit: Edit) -> None:
    assert edit("id: mobile-roaming\n              queue: technical", "id: mobile-roaming").reading.plan is None


def test_leaves_of_bills_and_accounts_are_discreet_unless_they_say_otherwise(edit: Edit) -> None:
    reading = edit("id: billing-payments\n", "id: billing-payments\n              discreet: false\n").reading
    assert reading.plan is not None
    discreet = {name: leaf.discreet for name, (_, leaf) in reading.plan.leaves().items()}
    assert (discreet["billing-payments"], discreet["billing-other"]) == (False, True)


def test_hours_run_over_sunday_and_are_half_open(edit: Edit) -> None:
    reading = edit("monday-friday: 08:00-20:00", "saturday-monday: [09:00-12:00, 13:00-24:00]").reading
    assert reading.plan is not None
    spans = ((540, 720), (780, 1440))
    assert reading.plan.queues["billing"].hours.weekly == (spans, (), (), (), (), spans, spans)


def test_a_value_that_is_an_empty_text_is_missing(edit: Edit) -> None:
    edited = edit(
        "              id: internet-slow\n              queue: technical\n",
        "              id: internet-slow\n              queue: ''\n",
    )
    assert edited.only().what == "leaf 'internet-slow' lacks 'queue'"
    assert edited.reading.errors
