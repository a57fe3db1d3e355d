"""What it was worth. Pure: standard library only."""
