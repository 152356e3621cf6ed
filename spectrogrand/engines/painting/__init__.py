"""Procedural covers: canvas, palette, light, composition and frame here; the families of motifs below."""
