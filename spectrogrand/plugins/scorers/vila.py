"""Scorer "vila": how pleasing a cover is, by the published judge, VILA's SavedModel in a process of its own."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, require
from ...interfaces import Card, CreativityScorer, Weights
from ...models.isolation import Worker
from ...registry import register
from ...types import Image
from ...weights import files, saved_model
from ...weights.sources import Url

SOURCE = "https://tfhub.dev/google/vila/image/1?tf-hub-format=compressed"
PART = "scorers 'vila'"


@register("vila")
class Vila(CreativityScorer):
    """Mean opinion on a picture's beauty, in [0, 1] (Ke et al. 2023, arXiv:2303.14302): the 2024 paper's value of a cover.

    The network is given the encoded picture (PNG, without loss) and answers predictions[0][0].

    Args:
        weights: folder with the SavedModel google/vila/image/1, or one that holds it as `vila`.
    """

    aspect = "value"
    artefact = Image
    card = Card(
        "published aesthetics: VILA, a vision-language judge of beauty",
        paper="Ke et al., VILA: learning image aesthetics from user comments, CVPR 2023, arXiv:2303.14302",
        extra="tfhub",
        modules=("tensorflow",),
        weights=(Weights(Url(SOURCE), 1600.0, "Apache-2.0", "saved_model.pb"),),
    )

    def __init__(self, *, weights: str | None = None) -> None:
        self.weights = weights
        self._worker: Worker | None = None
        self._predict: Any = None

    def score(self, batch: Sequence[Image]) -> np.ndarray:
        """Opinion per picture, float64, shape=(item,).

        Raises:
            InvalidValue: an item is no picture, or the SavedModel is torn or another network.
            MissingExtra: tensorflow is not installed, or there is no SavedModel.
            WorkerDied: its process ended.
        """
        for item in batch:
            if not isinstance(item, Image):
                raise InvalidValue(f"vila rates Image, got {type(item).__name__}: load it with load_image")
        if not len(batch):
            return np.zeros(0)
        if self._worker is None:
            self._folder()
            config = {"name": self.name, "weights": self.weights}
            self._worker = Worker("scorers", config, environment={"TF_CPP_MIN_LOG_LEVEL": "3"})
        return np.array([self._worker.call("score_here", item) for item in batch], np.float64)

    def score_here(self, image: Image) -> float:
        """One picture, in this process: what `score` has its own process do."""
        import tensorflow as tf

        predict = self._load()
        try:
            answer = predict(tf.constant(encoded(image)))
        except (TypeError, ValueError, tf.errors.OpError) as error:
            said = str(error).strip().splitlines()[0][:200]
            raise InvalidValue(f"{PART}: the network takes no encoded picture ({said}): it is another one") from error
        found = answer.get("predictions")
        if found is None or found.shape.rank != 2:
            raise InvalidValue(
                f"{PART}: the network answers {sorted(answer)}, not predictions of two axes: it is another one"
            )
        return float(found.numpy()[0][0])

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the SavedModel and the version of TensorFlow."""
        from importlib.metadata import version

        return {"weights": files.sha256_of_folder(self._folder()), "tensorflow": version("tensorflow")}

    def close(self) -> None:
        """End the process."""
        self._predict = None
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _folder(self) -> Path:
        require("tensorflow", "tfhub", PART)
        return files.find_folder(self.weights, self.card.weights[0], part=self.name)

    def _load(self) -> Any:
        if self._predict is None:
            folder = self._folder()
            model = saved_model.load(folder, PART)
            if "serving_default" not in model.signatures:
                raise InvalidValue(f"{PART}: {folder} has no signature serving_default: it is another network")
            self._model, self._predict = model, model.signatures["serving_default"]
        return self._predict


def encoded(image: Image) -> bytes:
    """The picture as a PNG file's bytes."""
    from PIL import Image as Pillow

    file = io.BytesIO()
    Pillow.fromarray(image.pixels).save(file, "PNG")
    return file.getvalue()
