"""One row a call of what became of it, kept up from the facts."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Not written yet: filled in before it is released."""
