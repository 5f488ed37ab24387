"""Questions about margin: comparison, attribution, paths, cross-margining, qualification, backtests, pictures."""
