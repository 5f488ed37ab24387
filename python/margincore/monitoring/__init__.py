"""Accounts watched over a stream of events, and the journal that survives a crash."""
