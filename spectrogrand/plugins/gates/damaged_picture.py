"""Gate "damaged_picture": fails pictures with a gross mark of damage: grain, blocks, halos, lost colours, tiles, a flat half."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ...image.damage import MARKS, marks, measure_flat_band, measure_tiling
from ...interfaces import Card, Gate
from ...registry import register
from ...types import Image

WORDS = {
    "grain": "noise", "blocks": "compression blocks", "halos": "over-sharpening", "cut_off": "cut-off colours",
    "flat": "flat areas", "tiles": "tiles in the wrong place", "band": "an empty band",
}  # fmt: skip

SMALL = 128
"""Pixels a side under which a picture's own detail fills its pixels: grain and halos may be larger there, by as much."""


@register("damaged_picture")
class DamagedPicture(Gate):
    """Fails a picture one of whose marks (`image.damage`) is above its limit, or that has both halos and cut-off colours.

    The limits were set above 167 of the published SDXL covers and 48 of our own; what they refuse of the others is in
    `docs/results/creativity.md`. Pure inks cut colours off, too: up to four tenths of a picture pass. Milder damage lowers
    `finish` instead.

    >>> import numpy as np
    >>> flat = np.full((64, 64, 3), 90, np.uint8)
    >>> DamagedPicture().check([Image(flat)])[0]
    'is damaged by flat areas (0.75, at most 0.6)'
    """

    card = Card("fails pictures with gross noise, blocks, halos, cut-off colours or flat areas", modules=("PIL",))
    artefact = Image
    LIMITS: ClassVar[dict[str, float]] = {
        "grain": 0.02, "blocks": 0.75, "halos": 0.03, "cut_off": 0.4, "flat": 0.6, "tiles": 0.6, "band": 0.4,
    }  # fmt: skip

    def check(self, batch: Sequence[Image]) -> list[str | None]:
        """Per picture None, or the reason."""
        return [self._reason(image) for image in batch]

    def _reason(self, image: Image) -> str | None:
        found = dict(zip(MARKS, marks(image).tolist(), strict=True))
        found |= {"tiles": measure_tiling(image) if min(image.size) >= SMALL else 0.0, "band": measure_flat_band(image)}
        detail = max(1.0, SMALL / min(image.size))
        for mark, limit in self.LIMITS.items():
            most = limit * detail if mark in ("grain", "halos") else limit
            if found[mark] > most:
                return f"is damaged by {WORDS[mark]} ({found[mark]:.2f}, at most {most:.4g})"
        if min(image.size) >= SMALL and found["halos"] > 0.0195 and found["cut_off"] > 0.05:
            return f"is damaged by over-sharpening ({found['halos']:.3f}, with {found['cut_off']:.2f} of the colours cut off)"
        return None
