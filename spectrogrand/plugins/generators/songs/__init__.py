"""Generators of songs."""
