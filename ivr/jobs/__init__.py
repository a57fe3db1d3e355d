"""Background verbs. The rows of `texts` are the truth; the job queue only wakes the worker up early."""
