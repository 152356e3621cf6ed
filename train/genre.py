"""Train the sub-genre classifier: mel pictures of one bar to future, bass, progressive, melodic.

    python train/genre.py data=housex data.root=DIR                          # our recipe, ResNet-101 from ImageNet
    python train/genre.py experiment=published data.root=DIR                 # as published: 77.45 % on HouseX
    python train/genre.py data=synthetic model=timm model.name=resnet18 model.initial=scratch
    python train/genre.py -m seed=0,1,2 data=synthetic ...                   # one after the other
    python train/genre.py ... trainer.devices=8 trainer.num_nodes=2          # on a cluster, the same command on every node

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
    sys.exit(main("genre", fit))
