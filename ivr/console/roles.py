"""Who may do what."""

from dataclasses import dataclass

from ivr.console.errors import sentence

#: the roles that may do what needs at least the one named
SUFFICES = {
    "viewer": frozenset({"viewer", "editor", "finance", "admin"}),
    "editor": frozenset({"editor", "admin"}),
    "finance": frozenset({"finance", "admin"}),
    "admin": frozenset({"admin"}),
}
ROLES = tuple(SUFFICES)
NAMES = {
    "viewer": sentence("Viewer"),
    "editor": sentence("Editor"),
    "finance": sentence("Finance"),
    "admin": sentence("Administrator"),
}
SCOPES = ("read", "menus", "articles", "calls", "finance", "admin")


@dataclass(frozen=True, slots=True)
class Staff:
    """Who is at the console. `language` is a code: en, es."""

    id: int
    name: str
    role: str
    language: str
    email: str = ""

    def may(self, least: str) -> bool:
        """Whether the role suffices for what needs at least `least`."""
        return self.role in SUFFICES[least]
