"""What is measured. `python -m bench` prints tables; nothing here is a test."""
