"""Turning one picture into another: correspondence and the frames between."""
