"""Classifiers: which genre a song is. One file per plug-in."""
