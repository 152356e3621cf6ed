"""One run: checked, made, found again, written down. Knows plug-ins through the registry alone, and no report."""
