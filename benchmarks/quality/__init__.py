"""How good our videos are, by the shared measure: `python -m benchmarks.quality SHARED` writes docs/results/video-quality.md."""
