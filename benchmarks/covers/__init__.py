"""Covers that draw their topic, measured: `python -m benchmarks.covers`; docs/results/covers.md holds what it printed."""
