"""Speed, as ratios in one run against the other way of doing it; `python -m benchmarks` writes docs/results/benchmarks.md."""
