"""Do two builds answer alike, to the last bit? `python -m tests.digests write FILE`, then `compare OLD NEW`."""
