"""Crypto venues: portfolio and standard margin from one scenario engine, venues as presets."""
