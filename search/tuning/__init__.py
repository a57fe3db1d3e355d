"""The encoder learns a community: its threads become training pairs, and a model that wins is exported."""
