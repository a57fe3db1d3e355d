"""What all stories of a run share: the starter community and its index, the starter menu, and variants of both."""

import copy
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import numpy as np
import psycopg
from psycopg import Connection
from ruamel.yaml import YAML

import search.bundle
import search.encoder
import search.index
import search.vectors
import search.words
from config.settings import Settings, load
from ivr import articles_cli
from ivr.call.plan import Plan
from ivr.live import Latest, Plans, Recent
from ivr.planfile.read import read_plan
from ivr.planfile.store import STARTER
from models import articles, indexes, plans
from search.bundle import Bundle
from search.door import SearchBusy
from search.encoder import Encoder, Vectors, load_encoder
from search.finder import Finder
from search.index import load as load_bundle
from search.index import verify
from tests.databases import copied

COMMUNITY = STARTER.parent / "articles.jsonl"
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # a Monday, noon in New York
HASH_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # one for all runs: so is each caller's draw
PUBLIC, LINKS = "https://calls.lumora.example", "https://lumora.example"
SCENERY = "scenery"


@dataclass(frozen=True)
class Scenery:
    """What all stories of a run share: a database to copy, the encoder, the index of the starter community."""

    admin_url: str
    database: str
    url: Any
    redis_url: str
    folder: Path
    encoder: Encoder
    bundle: Bundle


@contextmanager
def set_up(stores: Any, folder: Path, kept: Path, released: Callable[[], Path]) -> Iterator[Scenery]:
    """Import the starter community and publish the starter menu, with the index that a release built.

    The index is kept in `kept` for the next run, as long as the community and the way it is indexed stay the same:
    only without it `released` is asked for, a DATA_DIR after `release`.
    """
    database = f"{SCENERY}_{stores.prefix}"
    admin = stores.database_url("postgres")
    with copied(admin, "migrated", database):
        settings = load(environment(stores.database_url(database), stores.redis_url, folder), dotenv=None)
        articles_cli.import_path(settings, COMMUNITY)
        version = _index(settings, kept, released)
        with psycopg.connect(stores.database_url(database), autocommit=True) as conn:
            plans.publish(conn, STARTER.read_text("utf-8"), "tests", "the starter menu", at=NOON)
        encoder = load_encoder("onnx", settings.encoder_model, 1)
        bundle = load_bundle(folder / "index" / version, encoder.model_id, encoder.dimension)
        yield Scenery(admin, database, stores.database_url, stores.redis_url, folder, encoder, bundle)


def _index(settings: Settings, kept: Path, released: Callable[[], Path]) -> str:
    modules = (search.index, search.bundle, search.vectors, search.words, search.encoder)
    sources = (COMMUNITY, articles_cli.STARTER_CALIBRATION, *(Path(str(module.__file__)) for module in modules))
    bundle = kept / hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:20]
    if not bundle.is_dir():
        unfinished = kept / uuid4().hex
        shutil.copytree(released() / "index", unfinished)
        with suppress(OSError):  # another process of this run was quicker
            unfinished.rename(bundle)
    (found,) = bundle.iterdir()
    shutil.copytree(found, settings.data_dir / "index" / found.name)
    with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as conn:
        made = verify(found)
        digest = articles.content_digest(conn)
        read_at = indexes.snapshot(conn)  # nothing is new to it
        built = indexes.IndexVersion(found.name, NOON, made["articles"], made["model_id"], digest, read_at=read_at)
        indexes.add(conn, built)
        indexes.publish(conn, found.name)
    return found.name


def environment(database_url: str, redis_url: str, folder: Path, **more: str) -> dict[str, str]:
    """The settings of a story's service, as an operator would give them."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DATA_DIR": str(folder),
        "NUMBER_HASH_KEY": HASH_KEY,
        "PUBLIC_BASE_URL": PUBLIC,
        "LINK_BASE_URL": LINKS,
        "CARRIER_TIMEOUT_S": "5",
        **more,
    }


class EveryOther(Recent):
    """Remembers a call after every second turn: as two web processes would, and so that states go through the
    database in every story."""

    def keep(self, latest: Latest) -> None:
        if latest.turn % 2:
            super().keep(latest)


class ReadOnce(Plans):
    """Published plans; each text is read once a run, for reading takes longer than most stories."""

    _texts: ClassVar[dict[str, Plan]] = {}

    def __init__(self) -> None:
        super().__init__()
        self._versions: dict[int, Plan] = {}

    def get(self, conn: Connection, version: int) -> Plan:
        if version not in self._versions:
            text = plans.yaml(conn, version)
            assert text is not None
            self._versions[version] = replace(self.read(text), version=version)
        return self._versions[version]

    def known(self) -> Plan | None:
        return self._versions.get(self._live)

    @classmethod
    def read(cls, text: str) -> Plan:
        if text not in cls._texts:
            reading = read_plan(text.encode())
            assert not reading.errors, reading.problems
            assert reading.plan is not None
            cls._texts[text] = reading.plan
        return cls._texts[text]


def patched(patch: Mapping[str, Any]) -> str:
    """The starter menu with some of it changed; items of a list are named by their id."""
    menu = copy.deepcopy(_starter())
    _merge(menu, patch)
    return json.dumps(menu, ensure_ascii=False, indent=1, default=str)  # which is YAML, and soon written


@cache
def _starter() -> Any:
    return YAML(typ="safe").load(STARTER.read_text("utf-8"))


def _merge(into: Any, patch: Mapping[str, Any]) -> None:
    for name, value in patch.items():
        if isinstance(into, list):
            _merge(next(item for item in into if item["id"] == name), value)
        elif isinstance(value, Mapping) and isinstance(into.get(name), dict | list):
            _merge(into[name], value)
        else:
            into[name] = copy.deepcopy(value)


class _Broken:
    """An encoder whose session died."""

    def __init__(self, encoder: Encoder) -> None:
        self.model_id, self.dimension = encoder.model_id, encoder.dimension

    def encode(self, texts: Any) -> Vectors:
        raise RuntimeError("the session is gone")


class _Crowded(_Broken):
    """An encoder that has no time."""

    def encode(self, texts: Any) -> Vectors:
        raise SearchBusy


class _Between(_Broken):
    """An encoder that puts every sentence between two articles, level when the story's words are weighed too."""

    def __init__(self, encoder: Encoder, bundle: Bundle, one: str, other: str) -> None:
        super().__init__(encoder)
        titles = [bundle.passages_of(bundle.ids.index(name))[0] for name in (one, other)]
        middle = np.array([0.436, 0.564]) @ bundle.vectors.read(np.array(titles))  # what the words add is evened out
        self._middle = middle / np.linalg.norm(middle)

    def encode(self, texts: Any) -> Vectors:
        return np.stack([self._middle for _ in texts])


def finder_of(scenery: Scenery, kind: str) -> Finder | None:
    """As in production, or: missing, broken, crowded, torn between two topics, without an article in Spanish."""
    bundle, encoder = scenery.bundle, scenery.encoder
    match kind:
        case "missing":
            return None
        case "broken":
            return Finder(bundle, _Broken(encoder))
        case "crowded":
            return Finder(bundle, _Crowded(encoder))
        case "torn":
            return Finder(bundle, _Between(encoder, bundle, "email-spam-flood", "subtitles-wont-go-away"))
        case "without Spanish":
            return Finder(replace(bundle, language_names=("en",)), encoder)
        case "real":
            return Finder(bundle, encoder)
    raise ValueError(f"no such finder: {kind}")
