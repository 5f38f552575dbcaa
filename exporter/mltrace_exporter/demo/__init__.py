"""A year of a real pipeline with one real fault, and the search for it.

`feed`, `checks`, `flights` and `replay` are a user's program: of mltrace they import `mltrace_otel`
only. `command` runs it against a server of its own, flags what went wrong and reviews it.
"""
