"""Every story is played through the real app, as it is and with every webhook sent twice. docs/stories.md tells how to
write one; `REWRITE_STORIES=1` puts what is on record in the place of what was expected, and the diff is the review;
`TELL_STORIES=FOLDER` writes each call down as it was heard."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ivr.phone.story import Story, read
from tests.record import rewrite, unlike
from tests.stage import Scenery, Stage, set_up

FOLDER = Path(__file__).parent / "calls"
FILES = sorted(FOLDER.glob("*.yaml"))
STORIES = {file: read(file) for file in FILES}
REWRITE = bool(os.environ.get("REWRITE_STORIES"))
TELL = os.environ.get("TELL_STORIES")


@pytest.fixture(scope="session")
def scenery(
    stores: Any, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Scenery]:
    """See `set_up`."""
    with set_up(stores, tmp_path_factory.mktemp("scenery"), pytestconfig.cache.mkdir("stories")) as made:
        yield made


@pytest.mark.parametrize("twice", [False, True], ids=["as-is", "doubled"])
@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_story_goes_as_written(file: Path, twice: bool, scenery: Scenery) -> None:
    story = STORIES[file]
    wishes = dict(story.ends)
    misuses = [str(one) for one in wishes.pop("warnings", [])]
    with ExitStack() as parts:
        stage = Stage(scenery, story, parts)
        result, record = stage.play(twice=twice)
    told = "\n".join(result.lines)
    if TELL and not twice:
        (Path(TELL) / f"{file.stem}.txt").write_text(f"{story.title}\n{told}\n", "utf-8")
    problems = [one for one in result.problems if ": protocol: " not in one or not _expected(one, misuses)]
    problems += [f"the carrier never warned of {one}" for one in misuses if not _any_of(result.problems, one)]
    assert result.cannot == []
    if REWRITE and not twice:
        rewrite(file, record, misuses)
        wishes = record.ends()
    problems += unlike(record, wishes)
    assert problems == [], told + "\n\n" + "\n".join(problems)


def _expected(problem: str, misuses: list[str]) -> bool:
    return any(f": protocol: {code} " in problem for code in misuses)


def _any_of(problems: list[str], code: str) -> bool:
    return any(f": protocol: {code} " in problem for problem in problems)
