"""One call of a decorated function, from its arguments to a finished run."""
