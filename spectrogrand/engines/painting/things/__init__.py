"""Things that a cover can show: the words that name them and their outlines."""
