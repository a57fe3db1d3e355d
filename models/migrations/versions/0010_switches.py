"""Offers stopped by hand, and incidents callers hear first."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Not written yet: filled in before it is released."""
