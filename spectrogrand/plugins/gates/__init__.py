"""Gates: what must never win, failed before scores are compared. One file per plug-in."""
