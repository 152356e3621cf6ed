"""What sounds: drums, bass, chords, lead, textures and the oscillators, filters and effects that they share."""
