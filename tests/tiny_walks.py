"""Tiny random checkpoints of the networks behind a latent walk: BigGAN-deep and Stable Diffusion, as published."""

import tiny_biggan
import tiny_stable_diffusion


def folder(home, name):
    """The weights of `biggan` or `diffusion_latents`, made where they are not there yet."""
    place = home / name
    if not place.is_dir():
        {"biggan": tiny_biggan.save, "diffusion_latents": tiny_stable_diffusion.stable_diffusion}[name](place)
    return place
