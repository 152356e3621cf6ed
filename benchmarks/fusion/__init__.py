"""The proof that music reaches the picture: a toy world whose truth is known, and a tiny diffusion model trained in it."""
