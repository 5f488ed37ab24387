"""Crypto venues in pure Python, one file per rulebook; `scenario` holds what they share."""
