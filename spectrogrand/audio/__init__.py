"""What a sound is, measured: spectra, beats, onsets, loudness, statistics. Imports media and the ground floor only."""
