"""Gate "damaged_picture": fails pictures with one gross mark of damage: grain, blocks, halos, cut-off colours, a flat half."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ...image.damage import MARKS, marks
from ...interfaces import Card, Gate
from ...registry import register
from ...types import Image

WORDS = {
    "grain": "noise", "blocks": "compression blocks", "halos": "over-sharpening", "cut_off": "cut-off colours",
    "seams": "seams", "blur": "blur", "flat": "flat areas",
}  # fmt: skip


@register("damaged_picture")
class DamagedPicture(Gate):
    """Fails a picture one of whose marks (`image.damage.marks`) is above its limit.

    The limits lie well above the 334 published SDXL covers and our own: only what nobody would print. Milder damage lowers
    `finish` instead.

    >>> import numpy as np
    >>> flat = np.full((64, 64, 3), 90, np.uint8)
    >>> DamagedPicture().check([Image(flat)])[0]
    'is damaged by flat areas (0.75, at most 0.6)'
    """

    card = Card("fails pictures with gross noise, blocks, halos, cut-off colours or flat areas", modules=("PIL",))
    artefact = Image
    LIMITS: ClassVar[dict[str, float]] = {"grain": 0.06, "blocks": 0.9, "halos": 0.08, "cut_off": 0.6, "flat": 0.6}

    def check(self, batch: Sequence[Image]) -> list[str | None]:
        """Per picture None, or the reason."""
        found = [dict(zip(MARKS, marks(image).tolist(), strict=True)) for image in batch]
        return [
            next(
                (
                    f"is damaged by {WORDS[k]} ({m[k]:.2f}, at most {top})"
                    for k, top in self.LIMITS.items()
                    if m[k] > top
                ),
                None,
            )
            for m in found
        ]
