"""Gates that ask whether a sound is music: not drowned in noise, cut up, speech, one sound alone, or random notes."""
