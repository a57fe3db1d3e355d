"""Prints the settings.

python -m config                  the values in force, secrets masked, and warnings
python -m config --markdown       the table in README.md
python -m config --env-example    the file .env.example
"""

import sys
import textwrap

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from config.names import SECRETS
from config.settings import Settings, known_names, load_or_exit

_EXAMPLE_HEAD = """\
# Settings of Offhold: copy to `.env` and change what you need. The environment goes before this file.
# Every secret NAME may be given as NAME_FILE, the path of a file that holds it. Empty counts as not set.
# Written by `python -m config --env-example`.
"""


def _fields() -> list[tuple[str, str, str]]:
    """Name, default in words, and description of every setting."""
    known = known_names()
    return [
        (field.upper(), _default(about), about.description or "")
        for field, about in Settings.model_fields.items()
        if field.upper() in known
    ]


def _default(about: FieldInfo) -> str:
    extra = about.json_schema_extra
    in_words = extra.get("default") if isinstance(extra, dict) else None
    return str(in_words) if in_words else _shown(about.get_default())


def _shown(value: object) -> str:
    if value is PydanticUndefined or value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def markdown() -> str:
    """The table of all settings."""
    rows = []
    for name, default, about in _fields():
        secret = " (secret)" if name in SECRETS else ""
        rows.append(f"| `{name}` | {default or 'none'} | {about}{secret} |")
    return "\n".join(["| Setting | Default | What it is |", "|---|---|---|", *rows])


def env_example() -> str:
    """A `.env` with every setting, all commented out."""
    blocks = []
    for name, default, about in _fields():
        lines = textwrap.wrap(f"{about}. Default: {default}" if default else about, 106)
        plain = _shown(Settings.model_fields[name.lower()].get_default())
        blocks.append("\n".join([*(f"# {line}" for line in lines), f"#{name}={plain}"]))
    return _EXAMPLE_HEAD + "\n" + "\n\n".join(blocks)


def in_force() -> str:
    """The values that count, NAME=value, secrets as ***; then the warnings."""
    settings = load_or_exit()
    lines = [f"{name}={_shown(getattr(settings, name.lower()))}" for name, _, _ in _fields()]
    return "\n".join([*lines, *(f"warning: {line}" for line in settings.warnings())])


def main(arguments: list[str]) -> int:
    """The program's status."""
    answers = {(): in_force, ("--markdown",): markdown, ("--env-example",): env_example}
    answer = answers.get(tuple(arguments))
    if answer is None:
        print(__doc__, file=sys.stderr)
        return 2
    print(answer())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
