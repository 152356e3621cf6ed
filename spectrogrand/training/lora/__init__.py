"""Low-rank adapters: a text-to-image model learns the look of a folder of covers."""
