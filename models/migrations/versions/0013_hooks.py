"""Webhooks out, signed, sent from a list that survives."""

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Not written yet: filled in before it is released."""
