"""Worked cases of every rulebook, run through the public API. See ``README.md`` in this folder."""
