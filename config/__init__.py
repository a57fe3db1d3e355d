"""What an operator sets: one typed object, read from the environment."""
