"""The streams and parts of `margincore.batch` on real engines, an environment each: `make engines`."""
