"""Finishes: the hands in which things are drawn, a file each or two that share a ground."""
