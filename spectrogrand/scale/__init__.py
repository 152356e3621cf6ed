"""Many files at once: scores of a folder as parquet, streamed, resumable, here or on a cluster."""
