"""The house-music synthesiser: arrangement, mix and master here, the voices below. Knows the other engines not at all."""
