"""Scorer "topic_fit": how much of its topic a picture shows, as far as its pixels bear out what its painter says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ...engines.painting.things import outlines, vocabulary
from ...interfaces import Card, Context, CreativityScorer, Reference
from ...registry import register
from ...types import Image

SIDE = 256
"""The picture's shorter side in pixels when it is looked at."""
CHANCE, CLEAR = 0.67, 0.72
"""Agreement with an outline that says nothing, and from which the outline counts as seen: the 99.5th percentile of lies (another
outline in the box, the notes on another picture) and the 2nd of drawn outlines, on topics that prove nothing else: `python -m
benchmarks.covers --only calibrate`, docs/results/covers.md."""
MOST = 5
"""Things of a topic that are drawn."""
UNKNOWN = 0.5
"""The score of a picture of which nothing is said, or only what has no outline (weather, grounds)."""


@register("topic_fit")
class TopicFit(CreativityScorer):
    """The mean over a topic's words of whether the picture shows them, in [0, 1].

    A word counts where the painter's notes (`Image.notes`) name an outline and a box for it and the picture's edges lie there
    along that outline: the agreement is P(edge on a line of it > edge elsewhere in the box), the area under the ROC curve of edge
    strength, scaled so that chance is 0. Words that the notes call missed count 0; what fills the whole picture (rain, the sea)
    has no outline and is left out. A painter that says what it did not draw gains nothing. Ours, no published formula.

    In a run the words are those that the topic's own reading names, so that a painter gains nothing by leaving a word out, by
    naming another one, or by saying nothing. A topic that names no thing gives every picture the same 0.5.
    """

    aspect = "value"
    artefact = Image
    contextual = True
    noise = 0.02
    card = Card("how much of the topic's words the picture shows, borne out by its edges", modules=("scipy", "PIL"))

    def score(self, batch: Sequence[Any]) -> np.ndarray:
        """In [0, 1], float64, shape=(item,)."""
        return np.array([fit(image) for image in batch], np.float64)

    def score_in_context(self, batch: Sequence[Any], context: Context) -> np.ndarray:
        """The same by the words of each picture's own topic; without a topic as `score`."""
        sources = context.sources if len(context.sources) == len(batch) else [None] * len(batch)
        topics = [getattr(source, "topic", None) or context.topic for source in sources]
        if not any(topics):
            return self.score(batch)
        return np.array([fit_topic(image, topic) for image, topic in zip(batch, topics, strict=True)], np.float64)

    def reference(self) -> Reference:
        """Even steps from 0 to 1: the score is its own quantile, whatever the candidates are."""
        steps = self.reference_scores()
        return Reference("even steps from 0 to 1", len(steps), hashlib.sha256(steps.tobytes()).hexdigest())

    def reference_scores(self) -> np.ndarray:
        """The steps, shape=(1001,)."""
        return np.linspace(0, 1, 1001)


def fit(image: Image) -> float:
    """The score of one picture."""
    notes = image.notes
    if not isinstance(notes, Mapping):
        return UNKNOWN
    missed = len(notes.get("missed") or ())
    shown = [entry for entry in notes.get("shown") or () if _checkable(entry)]
    if not shown:
        return 0.0 if missed and not notes.get("shown") else UNKNOWN
    edges = edge_strength(image.pixels)
    found = sum(borne_out(edges, entry) for entry in shown)
    return found / (len(shown) + missed)


def fit_topic(image: Image, topic: str) -> float:
    """The score of one picture of a topic: the mean over the words of the topic's reading; 0.5 where none names a thing."""
    reading = vocabulary.read(topic)
    wanted = {thing.word: _names(thing.shape) for thing in reading.things[:MOST]}
    wanted |= {word: {name} for word, name in reading.emblems[:2]}
    if not wanted:
        return UNKNOWN
    notes = image.notes if isinstance(image.notes, Mapping) else {}
    shown: dict[str, Mapping[str, Any]] = {}
    for entry in notes.get("shown") or ():
        if _checkable(entry) and entry.get("word") in wanted and entry["shape"] in wanted[entry["word"]]:
            shown.setdefault(entry["word"], entry)
    edges = edge_strength(image.pixels) if shown else None
    found = sum(borne_out(edges, entry) for entry in shown.values()) if edges is not None else 0.0
    return found / (len(wanted) + len(reading.missed))


def _names(shape: vocabulary.Shape) -> set[str]:
    names = {shape.name, vocabulary.made_whole(shape).name}
    return names | {outlines.DISC} if shape.name in vocabulary.LIGHTS else names


def _checkable(entry: Any) -> bool:
    box = entry.get("box") if isinstance(entry, Mapping) else None
    if not isinstance(box, Sequence) or len(box) != 4 or list(box) == [0.0, 0.0, 1.0, 1.0]:
        return False
    return isinstance(entry.get("shape"), str)


def edge_strength(pixels: np.ndarray) -> np.ndarray:
    """Gradient of the three colours after a slight blur, the largest of them: float32, shape=(row, column)."""
    from PIL import Image as Pillow
    from scipy.ndimage import gaussian_filter, sobel

    scale = SIDE / min(pixels.shape[:2])
    size = (max(8, round(pixels.shape[1] * scale)), max(8, round(pixels.shape[0] * scale)))
    small = np.asarray(Pillow.fromarray(pixels).resize(size, Pillow.Resampling.BOX), np.float32)
    planes = [gaussian_filter(small[..., k], 1.0) for k in range(3)]
    return np.max([np.hypot(sobel(x, 0), sobel(x, 1)) for x in planes], axis=0)


def borne_out(edges: np.ndarray, entry: Mapping[str, Any]) -> float:
    """0 where the picture's edges in the box say nothing of the outline, 1 where they clearly follow it."""
    name = entry.get("shape")
    if not isinstance(name, str) or not (name == outlines.DISC or vocabulary.is_shape(name)):
        return 0.0
    return float(np.clip((agreement(edges, entry) - CHANCE) / (CLEAR - CHANCE), 0, 1))


def agreement(edges: np.ndarray, entry: Mapping[str, Any]) -> float:
    """P(edge strength on the outline > elsewhere in the box), 0.5 by chance: of the silhouette or of all lines, the larger."""
    from scipy.stats import rankdata

    rows, columns = edges.shape
    x0, y0, x1, y1 = (float(v) for v in entry["box"])
    r0, r1, c0, c1 = round(y0 * rows), round(y1 * rows), round(x0 * columns), round(x1 * columns)
    if not (0 <= r0 and 0 <= c0 and r1 - r0 >= 10 and c1 - c0 >= 10):
        return 0.5
    part = edges[r0:r1, c0:c1]
    ranks = rankdata(part).reshape(part.shape)
    found = 0.5
    for template in _templates(entry["shape"], r1 - r0, c1 - c0, bool(entry.get("mirrored"))):
        on = template[: part.shape[0], : part.shape[1]]
        hits = int(on.sum())
        if 0 < hits < on.size:
            found = max(found, float((ranks[on].sum() - hits * (hits + 1) / 2) / (hits * (on.size - hits))))
    return found


@lru_cache(maxsize=64)
def _templates(name: str, rows: int, columns: int, mirrored: bool) -> tuple[np.ndarray, np.ndarray]:
    """Where the silhouette's edges and those of all its lines lie in its box: bool, shape=(row, column)."""
    from scipy.ndimage import binary_dilation, sobel

    drawing = (
        outlines.disc(rows, columns) if name == outlines.DISC else outlines.draw(vocabulary.named(name), rows, columns)
    )
    drawing = drawing.mirrored() if mirrored else drawing
    found = []
    edge = np.zeros_like(drawing.body)
    for field in (drawing.body, drawing.ink):
        edge = edge + np.hypot(sobel(field, 0), sobel(field, 1))
        inside = edge[2:-2, 2:-2][:rows, :columns] > 1.2
        whole = np.zeros((rows, columns), bool)
        top, left = rows - inside.shape[0], (columns - inside.shape[1]) // 2
        whole[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
        found.append(np.asarray(binary_dilation(whole)))
    return found[0], found[1]
