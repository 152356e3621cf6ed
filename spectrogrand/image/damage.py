"""Marks that damage leaves in a picture, each at least 0 and growing with it: grain, blocks, halos, cut-off colours, seams."""

from __future__ import annotations

import numpy as np

from ..types import Image

MARKS = ("grain", "blocks", "halos", "cut_off", "seams", "blur", "flat")
LONGEST = 1024


def marks(image: Image) -> np.ndarray:
    """The marks called `MARKS`, float64, shape=(mark,); on the picture's own pixels, the middle 1024 of a larger one.

    - grain: Immerkaer's noise estimate (1996, a mask that takes planes and edges out) of the luma in [0, 1], the lower quartile
      over blocks of 16 x 16, above 0.004: what is left where there is nothing.
    - blocks: how much larger the luma's steps are across the grid of 8 pixels than beside it, second differences, at the best
      of the eight offsets (after Wang, Sheikh & Bovik 2002), minus what chance gives; at most 10.
    - halos: mean amount by which a pixel lies beyond the range of its surroundings 3 pixels away, as a share of the local
      contrast: over-sharpening.
    - cut_off: share of pixels with a channel at 0 or 255 while another is not at the same end.
    - seams: how far the steepest straight line from edge to edge stands out of the other rows and columns, in robust deviations
      above 8, logarithm: tiles and halves.
    - blur: 0 for a sharp picture; how little a further blur changes the steps (Crete et al. 2007), above 0.25, four-fold.
    - flat: share of the blocks of 16 x 16 with one grey throughout (within half a level), above one quarter.

    >>> marks(Image(np.full((64, 64, 3), 128, np.uint8))).shape
    (7,)
    """
    pixels = _middle(image)
    luma = (pixels @ np.array([0.299, 0.587, 0.114], np.float32)) / 255
    return np.array(
        [_grain(luma), _blocks(luma), _halos(luma), _cut_off(pixels), _seams(luma), _blur(luma), _flat(luma)],
        np.float64,
    )


def _luma(image: Image) -> np.ndarray:
    return np.asarray((_middle(image) @ np.array([0.299, 0.587, 0.114], np.float32)) / 255)


def _middle(image: Image) -> np.ndarray:
    """The picture's own pixels, the middle 1024 of a larger one; at least 16 to a side."""
    pixels = image.pixels
    top, left = (max(0, (n - LONGEST) // 2) // 8 * 8 for n in image.size)
    pixels = pixels[top : top + LONGEST, left : left + LONGEST]
    if min(pixels.shape[:2]) < 16:
        pixels = np.repeat(np.repeat(pixels, -(-16 // pixels.shape[0]), axis=0), -(-16 // pixels.shape[1]), axis=1)
    return pixels


def _grain(luma: np.ndarray) -> float:
    rows = luma[:-2] - 2 * luma[1:-1] + luma[2:]
    mask = np.abs(rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:])
    n, m = (k // 16 * 16 for k in mask.shape)
    if not n or not m:
        return float(mask.mean()) * np.sqrt(np.pi / 2) / 6
    blocks = mask[:n, :m].reshape(n // 16, 16, m // 16, 16).mean(axis=(1, 3))
    return max(0.0, float(np.percentile(blocks, 25) * np.sqrt(np.pi / 2) / 6) - 0.004)


def _blocks(luma: np.ndarray) -> float:
    found = []
    for x in (luma, luma.T):
        step = np.abs(x[:, 1:-2] - x[:, 2:-1]) - 0.5 * (np.abs(x[:, :-3] - x[:, 1:-2]) + np.abs(x[:, 2:-1] - x[:, 3:]))
        column = np.clip(step, -0.05, 0.05).mean(axis=0)
        at = (np.arange(column.size) + 2) % 8
        means = np.array([column[at == k].mean() for k in range(8)])
        spread = np.abs(x[:, 1:] - x[:, :-1]).mean() + 1e-3
        best = int(means.argmax())
        found.append((means[best] - np.median(means)) / spread)
    return float(np.clip(min(found), 0, 10))


def _halos(luma: np.ndarray) -> float:
    from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter

    ring = np.ones((9, 9), bool)
    ring[2:7, 2:7] = False
    high, low = (f(luma, footprint=ring, mode="nearest") for f in (maximum_filter, minimum_filter))
    beyond = np.maximum(luma - high, 0) + np.maximum(low - luma, 0)
    smooth = gaussian_filter(luma, 1.0, mode="nearest")
    sharp = float(
        np.mean(np.abs(luma - smooth)) / (np.mean(np.abs(smooth - gaussian_filter(smooth, 2.0, mode="nearest"))) + 2e-3)
    )
    return float(beyond.mean() / (luma.std() + 0.02)) + 0.02 * max(0.0, sharp - 0.5)


def _cut_off(pixels: np.ndarray) -> float:
    low, high = pixels <= 1, pixels >= 254
    some = (low.any(axis=2) & ~low.all(axis=2)) | (high.any(axis=2) & ~high.all(axis=2))
    return float(some.mean())


def _seams(luma: np.ndarray) -> float:
    worst = 0.0
    for x in (luma, luma.T):
        step = np.abs(np.diff(x, axis=1))
        column = np.median(np.sort(step, axis=0)[step.shape[0] // 3 :], axis=0)
        middle = np.median(column)
        spread = 1.4826 * np.median(np.abs(column - middle)) + 2e-3
        worst = max(worst, float((column.max() - middle) / spread))
    return float(np.log1p(max(0.0, worst - 8) / 8))


def _flat(luma: np.ndarray) -> float:
    n, m = (k // 16 * 16 for k in luma.shape)
    blocks = luma[:n, :m].reshape(n // 16, 16, m // 16, 16)
    return max(0.0, float((blocks.std(axis=(1, 3)) < 0.002).mean()) - 0.25)


def _blur(luma: np.ndarray) -> float:
    from scipy.ndimage import uniform_filter1d

    worst = 1.0
    for axis in (0, 1):
        step = np.abs(np.diff(luma, axis=axis))
        after = np.abs(np.diff(uniform_filter1d(luma, 9, axis=axis, mode="nearest"), axis=axis))
        worst = min(worst, float(1 - np.maximum(step - after, 0).sum() / (step.sum() + 1e-3 * step.size * 0.01 + 1e-9)))
    return 4 * max(0.0, worst - 0.25)


def measure_tiling(image: Image) -> float:
    """How far the second most broken line goes, from edge to edge, in both directions; in [0, 1]: a picture cut into tiles.

    Along each line between two columns, the share of rows where the step across it is larger, by 0.02 of the range, than those
    on either side; only lines with something on both sides count, so that a frame around nothing is none. The second largest of
    the columns and of the rows, the smaller of the two: one long edge is a horizon, two and two are tiles.

    >>> round(measure_tiling(Image(np.full((64, 64, 3), 128, np.uint8))), 2)
    0.0
    """
    luma = _luma(image)
    found = []
    for x in (luma, luma.T):
        step = np.abs(np.diff(x, axis=1))
        share = (step[:, 1:-1] > np.maximum(step[:, :-2], step[:, 2:]) + 0.02).mean(axis=0)
        along = np.abs(np.diff(x, axis=0)).mean(axis=0)
        share = (share * (np.minimum(along[1:-2], along[2:-1]) > 0.004))[8:-8]
        found.append(float(np.sort(share)[-2]) if share.size > 1 else 0.0)
    return min(found)


def measure_flat_band(image: Image) -> float:
    """The largest share of a picture that a band of one grey from edge to edge takes, in [0, 1]: an empty half.

    >>> measure_flat_band(Image(np.full((64, 64, 3), 128, np.uint8)))
    1.0
    """
    luma = _luma(image)
    n, m = (k // 16 * 16 for k in luma.shape)
    flat = luma[:n, :m].reshape(n // 16, 16, m // 16, 16).std(axis=(1, 3)) < 0.002
    return float(max(_longest(flat.all(axis=1)), _longest(flat.all(axis=0))))


def measure_text_lines(image: Image) -> tuple[float, int, float, float]:
    """A page: share of the paper's grey, lines of text, share of the side they take, strokes per line (of 256 pixels).

    Paper is the commonest of 32 greys. Ink is what lies 0.2 and more from it. A line of text is a run of rows with ink (3 % and
    more), at most a tenth of the side high; upright and on its side, the reading with more lines counts.

    >>> measure_text_lines(Image(np.full((64, 64, 3), 255, np.uint8)))[:2]
    (1.0, 0)
    """
    luma = _luma(image)
    counts = np.histogram(luma, 32, (0, 1.0001))[0]
    paper = (int(counts.argmax()) + 0.5) / 32
    ink = np.abs(luma - paper) > 0.2
    found = []
    for page in (ink, ink.T):
        edges = np.diff(np.concatenate([[0], (page.mean(axis=1) > 0.03).astype(int), [0]]))
        begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        small = (ends - begins >= 2) & (ends - begins <= page.shape[0] / 10)
        rows = np.zeros(page.shape[0], bool)
        for a, b in zip(begins[small], ends[small], strict=True):
            rows[a:b] = True
        strokes = (np.diff(page[rows].astype(int), axis=1) == 1).sum(axis=1)
        each = float(np.median(strokes)) * 256 / page.shape[1] if len(strokes) else 0.0
        found.append((int(small.sum()), float(rows.mean()), each))
    lines, share, each = max(found)
    return float((np.abs(luma - paper) < 0.06).mean()), lines, share, each


def _longest(row: np.ndarray) -> float:
    """The longest run of true, as a share of the row."""
    best = run = 0
    for flag in row:
        run = run + 1 if flag else 0
        best = max(best, run)
    return best / max(len(row), 1)
