"""The real stores under the tests: one PostgreSQL for the whole run, a Valkey for each process of it."""

import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import Connection
from redis import Redis

from config.settings import Settings, load
from ivr.stores import Stores
from models.db import Pool, open_pool
from models.migrate import upgrade
from tests.databases import copied

if TYPE_CHECKING:
    from tests.scenery import Scenery

TEMPLATE = "migrated"
MEMORY = Path("/dev/shm")  # a file system in memory, where there is one
ROOM = 8 * 2**30  # bytes free: a run takes less than half of them
_IN_MEMORY = pytest.StashKey[Path]()
_FOLDER_OF_RUN = pytest.StashKey[Path]()
_STORES_OF_RUN = pytest.StashKey[Stores]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Thousands of databases come and go: what the tests write stays in memory where it has room, and goes with the
    run. `TMPDIR` names another place."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM:
        folder = config.stash[_IN_MEMORY] = Path(tempfile.mkdtemp(prefix="offhold-", dir=MEMORY))
        os.environ["TMPDIR"] = str(folder)
        tempfile.tempdir = None  # it was asked for already
        config.option.basetemp = config.option.basetemp or str(folder / "t")  # short: sockets have 107 bytes for a path


def _start_postgres(config: pytest.Config) -> Path:
    """Start PostgreSQL and migrate the template, once a run; `pytest_unconfigure` stops it."""
    if _FOLDER_OF_RUN not in config.stash:
        folder = Path(tempfile.mkdtemp(prefix="offhold-tests-"))
        config.stash[_FOLDER_OF_RUN] = folder
        stores = Stores(folder, durable=False, valkey=False)
        config.stash[_STORES_OF_RUN] = stores
        stores.start()
        assert stores.postgres is not None
        stores.postgres.create_database(TEMPLATE)
        upgrade(stores.database_url(TEMPLATE))
    return config.stash[_FOLDER_OF_RUN]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Under xdist the controller runs PostgreSQL and tells its processes where."""
    node.workerinput["stores"] = str(_start_postgres(node.config))  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    if _STORES_OF_RUN in config.stash:
        config.stash[_STORES_OF_RUN].stop()
    if _FOLDER_OF_RUN in config.stash:
        shutil.rmtree(config.stash[_FOLDER_OF_RUN])
    if _IN_MEMORY in config.stash:
        shutil.rmtree(config.stash[_IN_MEMORY])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs the whole service comes first: one process of the run starts it, the others do the rest."""
    items.sort(key=lambda item: "released" not in getattr(item, "fixturenames", ()))


@dataclass(frozen=True)
class RunningStores:
    """Where the stores of this process are, and a way to new databases."""

    database_url: Callable[[str], str]
    redis_url: str
    prefix: str


@pytest.fixture(scope="session")
def stores(request: pytest.FixtureRequest) -> Iterator[RunningStores]:
    """The running stores; most tests want `database_url`, `db`, `pool`, `redis_url` or `redis`."""
    of_run = getattr(request.config, "workerinput", {}).get("stores")
    postgres = Stores(Path(of_run) if of_run else _start_postgres(request.config), valkey=False)
    folder = Path(tempfile.mkdtemp(prefix="offhold-tests-"))
    prefix = getattr(request.config, "workerinput", {}).get("workerid", "only")
    try:
        with Stores(folder, postgres=False) as valkey:
            yield RunningStores(postgres.database_url, valkey.redis_url(), prefix)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A DATA_DIR after `release`. All processes of a test run share it: the first makes it, the others wait."""
    from tests.browser.service import release

    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if hasattr(request.config, "workerinput") else own) / "released"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            release(shared / "var")
            (shared / "done").touch()
    return shared / "var"


@pytest.fixture(scope="session")
def scenery(
    stores: RunningStores,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
    request: pytest.FixtureRequest,
) -> Iterator["Scenery"]:
    """The starter company, for copies of its database; see `tests.scenery.set_up`."""
    from tests.scenery import set_up  # it imports half the product, which most tests do without

    def build() -> Path:
        return Path(request.getfixturevalue("released"))

    with set_up(stores, tmp_path_factory.mktemp("scenery"), pytestconfig.cache.mkdir("stories"), build) as made:
        yield made


_numbers = itertools.count()


@pytest.fixture
def database_url(stores: RunningStores) -> Iterator[str]:
    """A migrated database of the test's own, dropped after it whoever is still connected."""
    name = f"test_{stores.prefix}_{next(_numbers)}"
    with copied(stores.database_url("postgres"), TEMPLATE, name):
        yield stores.database_url(name)


@pytest.fixture
def db(database_url: str) -> Iterator[Connection]:
    """A connection in autocommit, as the service's pool gives them."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    """The service's pool on the test's database."""
    opened = open_pool(database_url, size=4, statement_timeout_ms=10_000, name="tests")
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def redis_url(stores: RunningStores) -> str:
    """An empty Valkey of this process alone: FLUSHALL in a test disturbs no other."""
    with Redis.from_url(stores.redis_url) as client:
        client.flushall()
    return stores.redis_url


@pytest.fixture
def redis(redis_url: str) -> Iterator["Redis"]:
    """A client of `redis_url`."""
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a first run in development on the test's own stores and folder."""
    given = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "DATA_DIR": str(tmp_path / "var")}
    return load(given, dotenv=None)
