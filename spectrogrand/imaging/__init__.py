"""How pictures are drawn: colour spaces, transport of colour, warping, light, and the pulse of a stream of pictures."""
