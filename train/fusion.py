"""Train the fusion of music and text for album covers: adapter and fusion learn, Stable Diffusion stays as it is.

    python train/fusion.py data.root=ALBUMS model.weights=MINISD                 # a recipe that works
    python train/fusion.py data.root=ALBUMS model.weights=MINISD recipe=published_fusion model.residual=false
    python train/fusion.py ... model.kind=music_attention model.tokens=8         # the light variant
    python train/fusion.py -m ... model.kind=concatenation,cross_attention,linear

ALBUMS is what `spectrogrand prepare albums` wrote. The same command goes on where it was stopped. Left behind: fusion.safetensors
(`cover.fusion=` of pipeline=album_cover), metrics.json and last.ckpt.
"""

from __future__ import annotations

import sys
from typing import Any

from spectrogrand.training.loop.entry import main


def fit(config: dict[str, Any]) -> dict[str, Any]:
    """Data, model, fusion, trainer; fit, export, evaluate. Returns the metrics."""
    from spectrogrand.training.fusion_ import fit as fusion

    return fusion.fit(config)


if __name__ == "__main__":
    sys.exit(main("fusion", fit))
