"""Embedders: artefacts and text as vectors. One file per plug-in."""
