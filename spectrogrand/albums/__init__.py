"""Records and what is known of them: title, artist, genres, the brief of a cover."""
