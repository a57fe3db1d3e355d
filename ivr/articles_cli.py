"""`flask articles ...` and `flask index ...`, and the functions behind them that `release` calls."""

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import click
import psycopg
from flask import current_app
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from config.settings import Settings
from ivr import board, bundles
from ivr.console import articles as console
from ivr.console.actors import at_terminal
from ivr.menu_cli import login
from ivr.sources_cli import approve_command
from ivr.wiring import Wiring, index_folder
from models import articles, audit, indexes
from search import judge as judges
from search.article import Article
from search.bundle import Evidence
from search.calibration import all_as_json, calibrations_from
from search.encoder import DEFAULT_MODEL, Encoder, EncoderError, load_encoder
from search.importing import ImportRefused, ImportReport, read_articles, reasons, size_bytes
from search.index import BundleError, build, prune, read_manifest, verify
from search.records import Defaults

STARTER_COMMUNITY = "starter"  # the source of its articles
STARTER_CALIBRATION = Path(__file__).resolve().parent.parent / "config" / "starter" / "calibration.json"
SEEN_WITHIN_S = 90.0
SKIPPED_SHOWN = 10
FROM_TERMINAL = "at the terminal"  # why, in the audit log

_screen = Console(stderr=True)


def import_path(
    settings: Settings,
    path: str | Path,
    *,
    defaults: Defaults | None = None,
    source: str | None = None,
    note: Callable[[psycopg.Connection, articles.Upserted], object] = lambda conn, done: None,
) -> tuple[ImportReport, articles.Upserted]:
    """Read the articles of a file or folder into the database, all valid ones or, if refused, none.

    Shows a progress bar. `source` defaults to the file's name; `note` is called in the same transaction. Raises
    `ImportRefused`.
    """
    file = Path(path)
    report = ImportReport()
    with _connection(settings) as conn, _bar("records") as bar:
        task = bar.add_task("importing articles", total=size_bytes(file), records=0)

        def counted() -> Iterator[Article]:
            for article in read_articles(file, report, defaults):
                bar.update(task, completed=report.bytes_read, records=report.kept)
                yield article

        with conn.transaction():
            done = articles.upsert_many(conn, counted(), source or file.stem)
            note(conn, done)
        bar.update(task, completed=report.bytes_read, records=report.kept)
    return report, done


def index_is_stale(settings: Settings) -> bool:
    """Whether the live articles differ from those the live index was built from, or it is in no form to be served."""
    with _connection(settings) as conn:
        live = indexes.current(conn)
        if live is None or live.content_digest != articles.content_digest(conn):
            return True
    return not index_is_servable(settings)


def index_is_servable(settings: Settings) -> bool:
    """Whether this version, with this encoder, can serve the live index, fetched or not: every machine fetches it."""
    with _connection(settings) as conn:
        live = indexes.current(conn)
        if live is None or live.model_id != _model_id(settings) or not bundles.is_readable(conn, live.version):
            return False
    folder = index_folder(settings) / live.version
    if not folder.is_dir():
        return True
    try:
        read_manifest(folder)
    except BundleError:  # of an earlier format
        return False
    return True


def build_index(settings: Settings, *, threads: int = 2, automatic: bool = False) -> indexes.IndexVersion:
    """Build an index of all live articles aside, check it, and make it the live one. Shows a progress bar.

    Raises `BundleError` (nothing to index), `EncoderError` (no model) or `OSError`; then the old one stays. So it does
    when a rollback put it in place while this was built, or before if the build is `automatic`: raises `Held`.
    Raises `BeingBuilt` when another process builds.
    """
    root = index_folder(settings)
    encoder = load_encoder(settings.encoder, settings.encoder_model, threads)
    with _connection(settings) as conn, indexes.building(conn, f"{socket.gethostname()}:{os.getpid()}"):
        before = indexes.current(conn)
        if automatic and before is not None and before.held:
            raise indexes.Held(f"{before.version} was rolled back to: flask index build ends that")
        root.mkdir(parents=True, exist_ok=True)
        bundles.see_room(root, indexes.size_bytes(conn, before.version) if before else 0)
        calibration = _own_calibration(conn, settings, encoder)
        read_at = indexes.snapshot(conn)
        digest = articles.content_digest(conn)
        helped = {article_id: Evidence(times) for article_id, times in indexes.helped(conn).items()}
        with _bar("articles") as bar:
            task = bar.add_task("building the index", total=articles.count_live(conn))
            live = articles.iter_live(conn)
            version, count = build(
                live,
                encoder,
                root,
                lambda more: bar.advance(task, more),
                evidence=helped,
                calibration=calibration,
                before=root / before.version if before else None,
            )
        with _gone_unless_published(conn, root, version):
            manifest = verify(root / version)
            built_at = datetime.fromisoformat(manifest["created"])
            built = indexes.IndexVersion(version, built_at, count, encoder.model_id, digest, read_at=read_at)
            indexes.add(conn, built)
            bundles.put(conn, root, version)
            indexes.publish(conn, version, before.version if before and before.held else None)
        kept = indexes.kept(conn, bundles.KEPT)
        indexes.forget_chunks(conn, kept)
        prune(root, lambda version: version not in kept)
    _announce(settings)
    return built


@contextmanager
def _gone_unless_published(conn: psycopg.Connection, root: Path, version: str) -> Iterator[None]:
    """Nobody will ever serve what was not published, and each further attempt would leave another beside it."""
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):  # what is in the database goes with the next build that is published
            indexes.forget(conn, version)
        shutil.rmtree(root / version, ignore_errors=True)
        raise


def _own_calibration(conn: psycopg.Connection, settings: Settings, encoder: Encoder) -> dict[str, Any] | None:
    """What `python -m search calibrate` left for this community, if it was made for the gate in use: the logits of
    another say nothing. The starter community brings its own. Raises `BundleError` for a file that is no
    calibration."""
    path = settings.data_dir / "calibration.json"
    if not path.exists() and {source for source, *_ in articles.count_by_source(conn)} == {STARTER_COMMUNITY}:
        path = STARTER_CALIBRATION
    try:
        content = json.loads(path.read_text("utf-8"))
        found = calibrations_from(content)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BundleError(f"{path} cannot be used ({error}): make it again, or delete it") from error
    if content.get("gate") != judges.gate_id(judges.shipped(), encoder.model_id):
        click.echo(f"warning: {path} was made for another search: calibrate again (docs/search.md)", err=True)
        return None
    return all_as_json(found)


def roll_back(settings: Settings, version: str | None = None) -> str:
    """Make an earlier index live again, the newest before the live one by default; its version. Nothing is built over
    it but by `flask index build`.

    Raises `LookupError` when there is none, `BundleError` when its files are damaged, gone or for another encoder, and
    `OSError`.
    """
    with _connection(settings) as conn:
        if version is None:
            earlier = indexes.before_current(conn)
            if earlier is None:
                raise LookupError("there is no earlier index to go back to")
            version = earlier.version
        root = index_folder(settings)
        if not (root / version).is_dir():
            bundles.fetch(conn, root, version)
        made_with = verify(root / version)["model_id"]
        if made_with != _model_id(settings):
            raise BundleError(f"{version} was built with {made_with}: it can be served once ENCODER_MODEL is that")
        indexes.roll_back(conn, version)
    _announce(settings)
    return version


def _model_id(settings: Settings) -> str:
    """The id of the encoder's vector space, known without loading it only for the default model."""
    if settings.encoder in ("onnx", "onnx-fast") and settings.encoder_model == DEFAULT_MODEL:
        return DEFAULT_MODEL
    return load_encoder(settings.encoder, settings.encoder_model).model_id


def _announce(settings: Settings) -> None:
    board.announce(board.connect(settings.redis_url.get_secret_value()), "index")


def _connection(settings: Settings) -> psycopg.Connection:
    """One of its own: the pools' statements may not last as long as a build."""
    return psycopg.connect(settings.database_url.get_secret_value(), autocommit=True)


def _wiring() -> Wiring:
    wiring: Wiring = current_app.extensions["offhold"]
    return wiring


def _settings() -> Settings:
    return _wiring().settings


@click.group("articles")
def articles_group() -> None:
    """The community's articles."""


@articles_group.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--language", default="en", show_default=True, help="of records that name none")
@click.option("--licence", default="", help="of records that name none")
@click.option("--source", help="where they come from; the file's name by default")
@click.option("--skipped", type=click.File("w", encoding="utf-8"), help="write every skipped record to this file")
def import_command(path: Path, language: str, licence: str, source: str | None, skipped: TextIO | None) -> None:
    """Add or update articles from a .jsonl or .csv file or a folder of .md files."""
    try:
        report, done = import_path(
            _settings(), path, defaults=Defaults(language, licence), source=source, note=_noting(source or path.stem)
        )
    except ImportRefused as refused:
        raise click.ClickException(f"{refused}. Nothing was imported.") from refused
    if skipped:
        skipped.writelines(f"{one.where}: {one.reason}\n" for one in report.skipped)
    print_report(report, done)
    if index_is_stale(_settings()):
        click.echo("Callers are offered what the index in use has: flask index build puts these articles into it.")


def _noting(source: str) -> Callable[[psycopg.Connection, articles.Upserted], object]:
    """Writes an import down in the audit log."""
    who, clock = at_terminal(login()).key, _wiring().clock

    def note(conn: psycopg.Connection, done: articles.Upserted) -> None:
        on, after = f"source {source[:200]}", asdict(done)
        audit.note(conn, who=who, what="articles.import", on=on, after=after, why=FROM_TERMINAL, at=clock())

    return note


def print_report(report: ImportReport, done: articles.Upserted) -> None:
    """What was imported, what was skipped and why."""
    click.echo(f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged")
    if report.skipped:
        click.echo(f"{len(report.skipped)} skipped:")
        found = list(reasons(report.skipped).items())
        for reason, count in found[:SKIPPED_SHOWN]:
            places = [one.where for one in report.skipped if reasons([one]) == {reason: 1}]
            click.echo(f"  {count} x {reason} ({', '.join(places[:3])}{', ...' if count > 3 else ''})")
        if len(found) > SKIPPED_SHOWN:
            click.echo(f"  and {len(found) - SKIPPED_SHOWN} more reasons: --skipped FILE tells each record's")


@articles_group.command("list")
def list_command() -> None:
    """How many articles there are, by source and language."""
    with _connection(_settings()) as conn:
        for source, language, state, count in articles.count_by_source(conn):
            click.echo(f"{count:8} {state:9} {language:4} {source}")


@articles_group.command("withdraw")
@click.argument("article_ids", nargs=-1)
@click.option("--source", help="all that came from this source (`flask articles list` names them)")
def withdraw_command(article_ids: tuple[str, ...], source: str | None) -> None:
    """Never offer or show these articles, whatever is imported, until `restore`; who opens a link already texted is
    led to a person."""
    if bool(article_ids) == (source is not None):
        raise click.UsageError("name articles, or a --source")
    with _connection(_settings()) as conn:
        wanted = articles.of_source(conn, source) if source is not None else list(article_ids)
        gone = console.withdraw(conn, _wiring(), at_terminal(login()), wanted, FROM_TERMINAL)
    if source is not None:
        click.echo(f"{len(gone)} articles of {source} withdrawn")
    for article_id in article_ids:
        click.echo(f"{article_id}: {'withdrawn' if article_id in gone else 'was not live'}")


@articles_group.command("restore")
@click.argument("article_ids", nargs=-1, required=True)
def restore_command(article_ids: tuple[str, ...]) -> None:
    """Take a withdrawal back: the articles are found again within seconds."""
    with _connection(_settings()) as conn:
        back = console.restore(conn, _wiring(), at_terminal(login()), article_ids, FROM_TERMINAL)
    for article_id in article_ids:
        click.echo(f"{article_id}: {'live again' if article_id in back else 'was not withdrawn'}")


@articles_group.command("unname")
@click.argument("author")
def unname_command(author: str) -> None:
    """Never name this author again, as they asked."""
    with _connection(_settings()) as conn, conn.transaction():
        articles.unname(conn, author)
        at = _wiring().clock()
        who = at_terminal(login()).key
        audit.note(conn, who=who, what="author.unname", on=f"author {author[:200]}", why=FROM_TERMINAL, at=at)
    click.echo(f"{author} is not named any more")


@click.group("index")
def index_group() -> None:
    """The search index."""


@index_group.command("build")
@click.option("--threads", default=2, show_default=True, help="processor cores to use")
@click.option(
    "--automatic", is_flag=True, help="leave it to another builder, and an index alone that was rolled back to"
)
def build_command(threads: int, automatic: bool) -> None:
    """Encode all live articles and put the new index into use."""
    try:
        built = build_index(_settings(), threads=threads, automatic=automatic)
    except (indexes.BeingBuilt, indexes.Held) as other:
        if automatic:
            click.echo(f"{other}. The index in use has not changed.")
            return
        raise click.ClickException(f"{other} meanwhile. The index in use has not changed.") from other
    except (BundleError, EncoderError, OSError) as error:
        raise click.ClickException(f"{error}. The index in use has not changed.") from error
    click.echo(f"{built.version}: {built.article_count} articles, live")


@index_group.command("verify")
@click.argument("version", required=False)
def verify_command(version: str | None) -> None:
    """Check the files of an index, the live one by default."""
    settings = _settings()
    if version is None:
        with _connection(settings) as conn:
            live = indexes.current(conn)
        if live is None:
            raise click.ClickException("no index is live: flask index build")
        version = live.version
    try:
        manifest = verify(index_folder(settings) / version)
    except BundleError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{version}: {manifest['articles']} articles, {manifest['model_id']}, intact")


@index_group.command("list")
def list_indexes_command() -> None:
    """All versions, newest first, which one a rollback holds, and which one each running process serves."""
    settings = _settings()
    with _connection(settings) as conn:
        for one in indexes.list_all(conn):
            here = "" if (index_folder(settings) / one.version).is_dir() else "  (not on this machine)"
            held = "  (held since a rollback: no other is built by itself)" if one.held else ""
            click.echo(f"{one.version}  {one.state:8}{one.article_count:8} articles  {one.model_id}{held}{here}")
        live = indexes.current(conn)
        for process, version in indexes.uses(conn, SEEN_WITHIN_S):
            other = "" if live and version == live.version else "  (not the live one yet)"
            click.echo(f"{process} serves {version}{other}")


@index_group.command("rollback")
@click.argument("version", required=False)
def rollback_command(version: str | None) -> None:
    """Put an earlier index back into use, the newest before the live one by default."""
    try:
        click.echo(f"{roll_back(_settings(), version)} is live. No index is built by itself until: flask index build")
    except (BundleError, LookupError, OSError) as error:
        raise click.ClickException(f"{error}. The index in use has not changed.") from error


class _Speed(ProgressColumn):
    """Finished per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f}/s" if task.speed else "-/s")


def _bar(of: str) -> Progress:
    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn()]
    if of == "articles":
        columns += [MofNCompleteColumn(), _Speed()]
    else:
        columns += [TextColumn("{task.percentage:>3.0f} %"), TextColumn("{task.fields[records]} records")]
    return Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=_screen)


articles_group.add_command(approve_command)
commands: tuple[click.Command, ...] = (articles_group, index_group)
