"""Procedural album covers: a canvas, palettes, light, and one file per family of motifs."""
