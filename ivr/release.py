"""What has to be there before the service starts, put there: tables, a plan, articles, an index."""

import re
from pathlib import Path

import click

from ivr import articles_cli
from ivr.planfile.problems import PlanRefused
from ivr.planfile.store import Publisher, publish_text
from ivr.stores import wait_until_ready
from ivr.stores.servers import StoresError
from ivr.wiring import Wiring
from models import articles, indexes, migrate, plans
from search.encoder import EncoderError
from search.importing import ImportRefused
from search.index import BundleError

STARTER = Path(__file__).resolve().parent.parent / "config" / "starter"
_OF_THE_STARTER = re.compile(r"\s*(?:pinned|allowed_tags):")
STORES_WITHIN_S = 30.0


def release(wiring: Wiring, articles_path: str | None = None) -> None:
    """Bring everything up to date; does nothing where nothing is to do. Raises click.ClickException.

    The starter plan and community are put in place only where there is none; `articles_path` is imported
    whenever it is given, and then in the starter community's place.
    """
    for warning in wiring.settings.warnings():
        click.echo(f"warning: {warning}", err=True)
    try:
        wait_until_ready(wiring.settings, STORES_WITHIN_S)
        click.echo(f"tables: {migrate.upgrade(wiring.settings.database_url.get_secret_value())}")
        wiring.check_hash_key()
        _import_articles(wiring, articles_path)  # first: a file that is refused leaves the plan as it is
        _publish_plan(wiring, own_articles=articles_path is not None)
        _build_index(wiring)
    except (StoresError, PlanRefused, ImportRefused, BundleError, EncoderError, RuntimeError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _publish_plan(wiring: Wiring, *, own_articles: bool) -> None:
    starter = (STARTER / "menu.yaml").read_text("utf-8")
    with wiring.pool.connection(timeout=STORES_WITHIN_S) as conn:
        version = plans.live_version(conn)
        wanted = open_menu(starter) if own_articles else starter
        if version is None or (own_articles and plans.yaml(conn, version) == starter):
            version = publish_text(conn, wanted, Publisher("release"), "the starter plan")
            wiring.announce("plan")
            if not wiring.settings.development_account:
                click.echo("warning: callers hear the starter menu of a made-up company; publish your own", err=True)
    click.echo(f"plan: version {version}")


def open_menu(text: str) -> str:
    """The starter menu for another community than its own, whose tags and articles mean nothing there."""
    return "".join(line for line in text.splitlines(keepends=True) if not _OF_THE_STARTER.match(line))


def _import_articles(wiring: Wiring, path: str | None) -> None:
    with wiring.pool.connection(timeout=STORES_WITHIN_S) as conn:
        some = bool(articles.count_by_source(conn))
    if path is None and some:
        return
    report, done = (
        articles_cli.import_path(wiring.settings, path)
        if path is not None
        else articles_cli.import_path(
            wiring.settings, STARTER / "articles.jsonl", source=articles_cli.STARTER_COMMUNITY
        )
    )
    articles_cli.print_report(report, done)


def _build_index(wiring: Wiring) -> None:
    if articles_cli.index_is_stale(wiring.settings):
        try:
            # an index held by a rollback stays, unless nothing here could serve it
            servable = articles_cli.index_is_servable(wiring.settings)
            built = articles_cli.build_index(wiring.settings, automatic=servable)
        except (indexes.BeingBuilt, indexes.Held) as other:
            click.echo(f"index: {other}")
            return
        click.echo(f"index: version {built.version}, {built.article_count} articles")
    else:
        click.echo("index: up to date")
