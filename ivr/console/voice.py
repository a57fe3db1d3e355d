"""What callers hear that people recorded: prompts by the words they say, and the company's own hold music."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from psycopg import Connection

from ivr import recorded
from ivr.call import menu
from ivr.call.plan import Menu, Plan
from ivr.call.speech import seconds
from ivr.call.state import Caller, CallerKind, CallState
from ivr.call.wording import PLACEHOLDER, WORDING, words
from ivr.console import sound
from ivr.console.actors import Actor
from ivr.console.errors import Missing, Sentence, Wrong, sentence
from ivr.console.sound import Sound
from ivr.wiring import Wiring
from models import audit, recordings
from models.recordings import NewRecording, Recording

LONGEST_PROMPT_S = 120
LONGEST_MUSIC_S = 600
MOST_IN_MEMORY = 96 * 1024 * 1024  # every web process holds all of it
LONGEST_WHY = 300
INVITE = "invite"  # not of the wording: a language's own invitation
QUESTION = "menu:"  # the same: a menu's whole question, by its path
_UNSPOKEN = ("text_", "reply_", "page_")
_FIXED = frozenset({"brand"})  # the same in every call of a plan
#: the first key of each group, and what it is about
GROUPS = {
    "greeting": sentence("Greeting and menu"),
    "position": sentence("On hold"),
    "offer_opening": sentence("The offer"),
    "incident_news": sentence("Incidents"),
    "type_number": sentence("Typing a number"),
    "closed_hours": sentence("Closed, failing, leaving"),
}


@dataclass(frozen=True, slots=True)
class Prompt:
    """A sentence of a plan in one language. `holds`: what is different in each call, so that it cannot be recorded."""

    wording: str
    language: str
    words: str
    holds: tuple[str, ...]
    recording: Recording | None

    @property
    def too_long(self) -> bool:
        """Whether the recording lasts much longer than the voice would: the offer is timed by the voice."""
        return self.recording is not None and self.recording.seconds > 1.5 * seconds(self.words) + 2


@dataclass(frozen=True, slots=True)
class Group:
    """Prompts about the same; each line has one for every language."""

    name: Sentence
    lines: tuple[tuple[Prompt, ...], ...]


@dataclass(frozen=True, slots=True)
class Voice:
    """All that can be recorded in a plan. `unheard`: recordings whose words it does not say."""

    groups: tuple[Group, ...]
    languages: tuple[str, ...]
    unheard: tuple[Recording, ...]


# ---- looking


def voice(conn: Connection, plan: Plan) -> Voice:
    """The prompts of a plan with their recordings."""
    heard = recordings.heard(conn)
    known = {(one.language, one.words): one for one in heard if one.kind == recordings.PROMPT}
    codes = tuple(one.code for one in plan.languages)
    groups, lines = [], [_invites(plan, known)]
    for key in _spoken():
        if key in GROUPS and key != "greeting":
            groups.append(lines)
            lines = []
        lines.append(tuple(_prompt(plan, key, code, known) for code in codes))
    groups.append(lines)
    groups[0] += [tuple(_question(plan, path, code, known) for code in codes) for path in _menus(plan.main, ())]
    told = tuple(
        Group(name, tuple(line for line in found if line)) for name, found in zip(GROUPS.values(), groups, strict=True)
    )
    said = {(one.language, one.words) for group in told for line in group.lines for one in line}
    return Voice(told, codes, tuple(one for key, one in known.items() if key not in said))


def music(conn: Connection) -> Recording | None:
    """The company's own hold music; None: ours plays."""
    return next((one for one in recordings.heard(conn) if one.kind == recordings.MUSIC), None)


def prompt(conn: Connection, plan: Plan, wording: str, language: str) -> Prompt:
    """One sentence of a plan. Raises Missing."""
    everything = (one for group in voice(conn, plan).groups for line in group.lines for one in line)
    found = next((one for one in everything if (one.wording, one.language) == (wording, language)), None)
    if found is None:
        raise Missing(f"this plan does not say {wording!r} in {language!r}")
    return found


def _spoken() -> Iterator[str]:
    return (key for key in WORDING if not key.startswith(_UNSPOKEN))


Known = dict[tuple[str, str], Recording]


def _prompt(plan: Plan, key: str, code: str, known: Known) -> Prompt:
    said = words(plan, code, key, brand=plan.brand)
    holds = sorted(set(PLACEHOLDER.findall(said)) & WORDING[key] - _FIXED)
    return Prompt(key, code, said, tuple(holds), known.get((code, said)))


def _invites(plan: Plan, known: Known) -> tuple[Prompt, ...]:
    return tuple(
        Prompt(INVITE, one.code, one.invite, (), known.get((one.code, one.invite)))
        for one in plan.languages
        if one.key and one.invite
    )


def _question(plan: Plan, path: tuple[str, ...], code: str, known: Known) -> Prompt:
    """A menu's whole question, as `menu.ask` says it."""
    nobody = Caller(CallerKind.OTHER, None, 0)
    state = CallState("", plan.version, nobody, "", 0, language=code, path=path)
    said = menu.ask(state, plan).state.last_said[-1].words
    return Prompt(QUESTION + ".".join(path), code, said, (), known.get((code, said)))


def _menus(top: Menu, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    for choice in top.choices:
        if choice.menu is not None:
            yield from _menus(choice.menu, (*path, choice.id))


# ---- changing


def record(wiring: Wiring, by: Actor, spoken: Prompt, raw: bytes, file_name: str) -> int:
    """A recording of a sentence, from a WAV or MP3 file, instead of what was heard; its id. Raises Wrong."""
    if spoken.holds:
        raise Wrong({"file": sentence("This sentence is different in each call and cannot be recorded.")})
    made = sound.telephone(raw, LONGEST_PROMPT_S, sound.VOICE_DB)
    return _keep(wiring, by, _new(made, recordings.PROMPT, file_name, spoken.wording, spoken.language, spoken.words))


def play_music(wiring: Wiring, by: Actor, raw: bytes, file_name: str) -> int:
    """The company's own hold music, from a WAV or MP3 file; its id. Raises Wrong."""
    made = sound.telephone(raw, LONGEST_MUSIC_S, sound.MUSIC_DB)
    if made.seconds < recorded.PIECE_S:
        raise Wrong(
            {"file": sentence("At least %(least)s seconds, or callers hear the same again and again.", least=30)}
        )
    return _keep(wiring, by, _new(made, recordings.MUSIC, file_name))


def _new(made: Sound, kind: str, file_name: str, wording: str = "", language: str = "", said: str = "") -> NewRecording:
    name = "".join(letter for letter in PurePath(file_name.replace("\\", "/")).name if letter.isprintable())
    digest = hashlib.sha256(made.wav).hexdigest()[:20]
    return NewRecording(digest, kind, wording, language, said, made.wav, made.seconds, name[:80])


def _keep(wiring: Wiring, by: Actor, new: NewRecording) -> int:
    with wiring.pool.connection() as conn:
        with conn.transaction():
            recordings.one_at_a_time(conn)
            before = recordings.same(conn, new)
            if recordings.bytes_heard(conn) + len(new.sound) > MOST_IN_MEMORY:
                raise Wrong(
                    {"file": sentence("There are too many recordings already: take away some that nobody hears.")}
                )
            if before is not None:
                recordings.remove(conn, before.id, wiring.clock())
            made = recordings.add(conn, new, by.name, wiring.clock())
            audit.note(
                conn,
                who=by.key,
                what="recording.add",
                on=_called(new),
                before=_told(before) if before else None,
                after=_told(new),
                at=wiring.clock(),
            )
        _announce(conn, wiring)
    return made


def remove(conn: Connection, wiring: Wiring, by: Actor, recording_id: int, why: str) -> Recording:
    """Callers hear the voice again, or our music. Raises Missing, Wrong without a reason."""
    found = recordings.read(conn, recording_id)
    if found is None:
        raise Missing(f"there is no recording {recording_id}")
    if not why or len(why) > LONGEST_WHY:
        raise Wrong(
            {"why": sentence("Say why, in at most %(most)s letters: it stands in the audit log.", most=LONGEST_WHY)}
        )
    with conn.transaction():
        if not recordings.remove(conn, recording_id, wiring.clock()):
            raise Missing(f"there is no recording {recording_id} any more")
        audit.note(
            conn,
            who=by.key,
            what="recording.remove",
            on=_called(found),
            before=_told(found),
            why=why,
            at=wiring.clock(),
        )
    _announce(conn, wiring)
    return found


def sound_of(conn: Connection, recording_id: int) -> tuple[Recording, bytes]:
    """A recording to listen to. Raises Missing."""
    found = recordings.read(conn, recording_id)
    kept = recordings.sound(conn, found.hash) if found else None
    if found is None or kept is None:
        raise Missing(f"there is no recording {recording_id}")
    return found, kept


def _called(one: NewRecording | Recording) -> str:
    return f"{one.wording} ({one.language})" if one.kind == recordings.PROMPT else "hold music"


def _told(one: NewRecording | Recording) -> dict[str, object]:
    words_said = {"words": one.words} if one.words else {}
    return {"file": one.file_name, "seconds": round(one.seconds, 1), **words_said, "sound": one.hash}


def _announce(conn: Connection, wiring: Wiring) -> None:
    """This process plays it at once, the others as soon as they hear of it."""
    wiring.audio.take(recorded.look(conn, wiring.audio.recorded))
    wiring.announce("recordings")
