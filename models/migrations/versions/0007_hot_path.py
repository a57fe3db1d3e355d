"""What a turn writes costs less."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Not written yet: filled in before it is released."""
