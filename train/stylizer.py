"""Trains `spectral_style`, the stylizer of our own, and exports it for onnxruntime.

    python train/stylizer.py data.covers=[FOLDER] model.squeezenet=squeezenet1_1_notop.h5
    python train/stylizer.py ... export=FOLDER            # writes the network and its card from the last checkpoint

A night on two cores is enough (conf/recipe/stylizer.yaml says for what); it may be cut at any time and goes on where it stopped.
"""

from __future__ import annotations

import sys
from typing import Any

from spectrogrand.training.loop.entry import main


def fit(config: dict[str, Any]) -> dict[str, Any]:
    """Train, or resume; with export=FOLDER write what the package ships."""
    from spectrogrand.training.style import fit as style

    return style.fit(config)


if __name__ == "__main__":
    sys.exit(main("stylizer", fit))
