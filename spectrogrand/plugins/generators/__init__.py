"""Makers of artefacts: songs, covers, motion. One file per plug-in."""
