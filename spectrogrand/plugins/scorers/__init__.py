"""Creativity scorers: novelty, value, surprise. One file per plug-in."""
