"""Benchmarks a Python user can run: ours, the fastest public alternative and the reference engine side by side.

``python -m benches`` prints a Markdown table. See ``benches/measure.py`` for how a module takes part.
"""
