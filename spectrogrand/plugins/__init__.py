"""The plug-ins: one file each, and nothing else but `_shared` helpers. Never another plug-in, never run, report or pipelines."""
