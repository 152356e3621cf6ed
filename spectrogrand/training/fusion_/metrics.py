"""How good fused covers are: MSE, FID and KID against the real covers, and whether alike songs get alike covers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ... import media
from ...errors import InvalidValue, UnknownName, nearest
from ...models import stable_diffusion as diffusion
from ...models.fusion import Fusion
from ...types import Image
from ...weights import checkpoints
from .data import Albums

ENCODERS = ("statistics", "squeezenet", "clip")


class Encoder(nn.Module):
    """Pictures, uint8, shape=(picture, rgb, row, column), to features, float32, shape=(picture, axis): what FID and KID compare.

    statistics: the colour and texture statistics of `spectrogrand.image.statistics`, standardised by the real covers (no
    weights). squeezenet: SqueezeNet 1.1's last features, averaged over the picture, 512 axes (its HDF5 file as `weights`).
    clip: CLIP's picture embedding, unit length (a CLIP folder in the hub's layout as `weights`).

    FID and KID of different encoders are different scales: the published figures are Inception's, ours name their encoder.
    """

    def __init__(self, name: str, weights: str | None, real: torch.Tensor) -> None:
        super().__init__()
        if name not in ENCODERS:
            raise UnknownName(f"no encoder {name!r}; {nearest(str(name), ENCODERS)}")
        if name != "statistics" and not weights:
            raise InvalidValue(f"the encoder {name} needs its weights: set evaluate.encoder_weights")
        self.name, self.network = name, None
        if name == "squeezenet":
            from ..style.network import squeezenet

            self.network = squeezenet(Path(str(weights)).expanduser())
        elif name == "clip":
            from transformers import CLIPVisionModelWithProjection

            self.network = checkpoints.model(
                CLIPVisionModelWithProjection, Path(str(weights)).expanduser(), "float32", part="clip"
            )
        self.scale: tuple[torch.Tensor, torch.Tensor] | None = None
        first = self(real)
        self.num_features = int(first.shape[1])
        if name == "statistics":
            self.scale = first.mean(0), first.std(0).clamp_min(1e-6)

    @torch.no_grad()
    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Features of pictures."""
        if self.network is None:
            from ...image.statistics import statistics

            rows = [statistics(Image(np.ascontiguousarray(p))) for p in pictures.permute(0, 2, 3, 1).cpu().numpy()]
            found = torch.from_numpy(np.stack(rows).astype(np.float32))
            return found if self.scale is None else (found - self.scale[0]) / self.scale[1]
        side = 224
        resized = nn.functional.interpolate(pictures.float() / 255, (side, side), mode="bicubic", antialias=True).clamp(
            0, 1
        )
        if self.name == "squeezenet":
            from ..style.network import standardised

            return self.network(standardised(resized)).mean((2, 3))
        mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
        std = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
        return nn.functional.normalize(self.network(pixel_values=(resized - mean) / std).image_embeds)


def evaluate(
    model: diffusion.Diffusion,
    fused: Fusion,
    albums: Albums,
    embedder: Any,
    settings: Mapping[str, Any],
    seed: int,
    folder: Path,
) -> dict[str, Any]:
    """Draw `settings["covers"]` unseen albums by prompt alone and fused, write both beside the real ones, and compare.

    Returns:
        Per way ("prompt", "fused"): mse (mean squared error to the real cover, values in [0, 1]), fid, kid (its mean and
        deviation over subsets, for small sets) and agreement (`agreement` of the songs' features with the covers').
    """
    count = min(int(settings["covers"]), len(albums))
    if count < 4:
        raise InvalidValue(f"covers are compared as sets of 4 or more, got {count}: set evaluate.covers")
    real = torch.from_numpy(np.stack([((albums.pixels(i) + 1) * 127.5).round() for i in range(count)]).astype(np.uint8))
    encoder = Encoder(settings["encoder"], settings["encoder_weights"], real)
    seen = encoder(real)
    songs = np.stack([albums.features[i].mean(axis=0) for i in range(count)])
    found: dict[str, Any] = {"encoder": encoder.name, "sound_embedder": embedder.name, "covers": count}
    for name, fusion in (("prompt", None), ("fused", fused)):
        drawn = torch.from_numpy(draw(model, fusion, albums, settings, seed, count))
        (folder / "covers" / name).mkdir(parents=True, exist_ok=True)
        for i, picture in enumerate(drawn):
            media.save_image(
                folder / f"covers/{name}/{i}.png", Image(np.ascontiguousarray(picture.permute(1, 2, 0).numpy()))
            )
        found[f"mse_{name}"] = float(((drawn.float() - real.float()) / 255).square().mean())
        features = encoder(drawn)
        found |= {f"{k}_{name}": v for k, v in distances(seen, features, seed).items()}
        found[f"agreement_{name}"] = agreement(songs, features.numpy())
    found["agreement_real"] = agreement(songs, seen.numpy())
    return found


def draw(
    model: diffusion.Diffusion,
    fusion: Fusion | None,
    albums: Albums,
    settings: Mapping[str, Any],
    seed: int,
    count: int,
) -> np.ndarray:
    """Covers of the first `count` albums, uint8, shape=(picture, rgb, row, column), each from its own seed."""
    made = []
    for i in range(count):
        heard = None if fusion is None else albums.features[i][None]
        made.append(diffusion.sample(
            model, fusion, [albums.prompt(i)], heard, [seed * 1000 + i], size=albums.size, steps=settings["steps"],
            sampler=settings["sampler"], guidance=settings["guidance"], music_guidance=settings["music_guidance"],
        )[0])  # fmt: skip
    return np.round(np.clip(np.stack(made), 0, 1) * 255).astype(np.uint8).transpose(0, 3, 1, 2)


class Given(nn.Module):
    """Features that have been made already, for torchmetrics' own place of an encoder."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The features as they are."""
        return features


def distances(real: torch.Tensor, drawn: torch.Tensor, seed: int) -> dict[str, float]:
    """FID (Heusel et al. 2017) and KID (Binkowski et al. 2018, unbiased, subsets of up to 100) of two sets of features.

    Args:
        real, drawn: an encoder's, float32, shape=(picture, axis).
    """
    import warnings

    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        given = Given(int(real.shape[1]))
        fid = FrechetInceptionDistance(feature=given)
        kid = KernelInceptionDistance(feature=given, subset_size=max(2, min(100, len(real) // 2)), subsets=50)
        for metric in (fid, kid):
            metric.update(real, real=True)
            metric.update(drawn, real=False)
        mean, deviation = kid.compute()
        return {"fid": float(fid.compute()), "kid": float(mean), "kid_std": float(deviation)}


def agreement(songs: np.ndarray, covers: np.ndarray) -> float:
    """Whether alike songs have alike covers: Spearman's correlation of the two sets' pairwise cosine similarities, in [-1, 1].

    Representational similarity (Kriegeskorte et al. 2008): the two spaces (CLAP's and CLIP's, or any others) need no axis in
    common. Both sets are centred first. About 0 where covers do not follow the music.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(20, 8))
    >>> round(agreement(x, x @ np.linalg.qr(rng.normal(size=(8, 8)))[0]), 6)
    1.0
    """
    from scipy.stats import spearmanr

    pairs = np.triu_indices(len(songs), 1)
    rows = []
    for x in (songs, covers):
        centred = x - x.mean(axis=0)
        unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
        rows.append((unit @ unit.T)[pairs])
    value = float(spearmanr(*rows).statistic)
    return value if np.isfinite(value) else 0.0
