"""Train the surprise classifier: album covers to ai or human.

    python train/surprise.py data=covers data.root=DIR                       # our recipe, the corrected head
    python train/surprise.py experiment=published data.root=DIR              # as published: F1 0.902
    python train/surprise.py data=synthetic model.initial=scratch
    python train/surprise.py model=timm model.name=convnext_tiny ...         # any backbone of timm

The same command goes on where it was stopped; `python train/export.py RUN` makes what the pipeline reads.
"""

from __future__ import annotations

import sys
from typing import Any

from spectrogrand.training.loop.entry import main


def fit(config: dict[str, Any]) -> dict[str, Any]:
    """Data, model, trainer; fit, test. Returns the test metrics."""
    from spectrogrand.training.pictures import fit as pictures

    return pictures.fit(config)


if __name__ == "__main__":
    sys.exit(main("surprise", fit))
