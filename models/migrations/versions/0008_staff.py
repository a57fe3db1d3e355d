"""Staff, their sessions and tokens, and the audit log."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Not written yet: filled in before it is released."""
