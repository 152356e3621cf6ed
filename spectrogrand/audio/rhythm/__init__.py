"""Where the pulse is: accents, beats, bars and what is percussive; may import what `audio` may."""
