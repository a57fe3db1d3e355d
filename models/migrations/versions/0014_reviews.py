"""Articles waiting for a person's word, and what people edited in them."""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Not written yet: filled in before it is released."""
