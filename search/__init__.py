"""Finding the community article that solves a caller's problem. Imports nothing else of ours."""
