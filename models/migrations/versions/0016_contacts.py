"""Contacts that other systems know of."""

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Not written yet: filled in before it is released."""
