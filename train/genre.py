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
    from spectrogrand.training.loop import fitting
    from spectrogrand.training.pictures import report

    data = fitting.make_data(config)
    model = fitting.make_model(config, data)
    folder = fitting.folder_of(config, data)
    trainer = fitting.make_trainer(config, folder)

    trainer.fit(model, data, ckpt_path=fitting.resumable(config, folder, data))
    trainer.test(model, data, ckpt_path=folder / f"{model.recipe.take}.ckpt", verbose=False)
    return report.conclude(trainer, model, data, folder)


if __name__ == "__main__":
    sys.exit(main("genre", fit))
