"""One call as a value. Pure: standard library and `search.result` only."""
