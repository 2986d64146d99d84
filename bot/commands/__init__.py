"""One module per command of the command line; each has a `run` that returns the exit code."""
