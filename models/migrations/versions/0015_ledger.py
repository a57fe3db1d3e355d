"""Rate cards, postings, closed months."""

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Not written yet: filled in before it is released."""
