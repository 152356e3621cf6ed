"""The motifs that a procedural cover can show, one file a family; each paints on a canvas handed to it."""
