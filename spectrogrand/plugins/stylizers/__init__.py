"""Stylizers: content drawn in a style, frame by frame. One file per plug-in."""
