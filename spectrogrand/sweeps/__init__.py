"""Sweeps: planned before anything is made, run by Hydra's launchers, written down job by job, and resumed where they stopped."""
