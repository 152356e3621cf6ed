"""Scorers by distance to a domain's references: typicality, novelty within it, and the Wundt curve over both."""
