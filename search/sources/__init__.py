"""Communities that articles are drawn from, each kind behind one protocol (`source.py`)."""
