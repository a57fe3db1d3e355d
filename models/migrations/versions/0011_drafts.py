"""Menus in the making, one a draft, and their rehearsals."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Not written yet: filled in before it is released."""
