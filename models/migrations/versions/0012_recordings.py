"""Recorded prompts and hold music."""

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Not written yet: filled in before it is released."""
