"""The house-music synthesiser behind `generators/house_synth.py`: score, voices, mix and master, in numpy and scipy."""
