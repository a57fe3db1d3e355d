"""docs/console-pages.md shows every page there is."""

from tests.browser.console.pictures import LARGEST, MORE, PAGE_OF_DOCS, PICTURES, told
from tests.browser.console.test_every_page import NO_PAGES
from tests.browser.pictures import FOLDER
from tests.ivr.web.console.roles import ROLES

ALL = 6_000_000  # bytes of all pictures together


def test_every_page_has_its_picture() -> None:
    rules = {one.partition(" ")[2] for one in ROLES if one.startswith("GET ")}
    assert set(PICTURES) == rules - set(NO_PAGES)
    sizes = {
        shown.name: (FOLDER / f"console-{shown.name}.webp").stat().st_size for shown in (*PICTURES.values(), *MORE)
    }
    assert [name for name, size in sizes.items() if not 0 < size < LARGEST] == []
    assert sum(one.stat().st_size for one in FOLDER.iterdir()) < ALL


def test_the_page_of_pictures_is_as_it_is_made() -> None:
    assert PAGE_OF_DOCS.read_text("utf-8") == "\n".join(told()) + "\n"
