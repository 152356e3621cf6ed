"""The director: a song's sections, and what camera and light do in each."""
