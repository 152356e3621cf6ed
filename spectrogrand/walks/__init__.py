"""What pictures move along: keyframes, latent walks, and the clock that a song gives them."""
