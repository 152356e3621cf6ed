"""Training: Lightning scripts driven by Hydra, their data, models and recipes. Uses the package; the package never looks back."""
