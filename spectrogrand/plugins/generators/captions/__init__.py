"""Generators of text: what a sound or a picture is about."""
