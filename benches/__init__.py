"""Benchmarks a Python user can run: ours, the fastest public alternative and the reference engine.

``python -m benches`` prints a Markdown table with the goals, and one of the errors; ``pytest benches`` runs the same
calls under pytest-benchmark. ``benches/measure.py`` says how a module takes part.
"""
