"""Many decisions at once: the rows of a file, together or each for itself."""
