"""Generators of frames: motion, morphs and latent walks."""
