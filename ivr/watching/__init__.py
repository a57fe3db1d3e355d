"""What operators see of a running process: a log line for each webhook, and its figures (docs/decisions/0062)."""
