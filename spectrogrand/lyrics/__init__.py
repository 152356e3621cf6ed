"""Songs found by their words: a table of lyrics is read once into an index of line embeddings, which is searched by any text."""
