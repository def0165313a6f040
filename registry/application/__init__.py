"""Use cases: load, decide, append. Each one is a decision that the ``Application`` executes."""
