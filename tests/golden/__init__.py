"""Files of every format as each version wrote them. `python -m tests.golden write` adds those that are missing."""
