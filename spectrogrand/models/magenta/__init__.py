"""Magenta's arbitrary stylization network: its TFLite files, and two ways to run them."""
