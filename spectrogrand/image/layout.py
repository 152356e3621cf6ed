"""How a picture is laid out, in numbers: where its colours lie, what its scales hold, which ways its edges point."""

from __future__ import annotations

import numpy as np

from ..types import Image
from .inks import linear_to_oklab
from .statistics import prepare

CELLS, LEVELS, WAYS, HUES = 4, 6, 8, 8
NAMES: tuple[str, ...] = (
    *(f"{c}_{s}_{row}{column}" for c, s in (("L", "mean"), ("a", "mean"), ("b", "mean"), ("L", "std"))
      for row in range(CELLS) for column in range(CELLS)),
    *(f"{c}_level{k}" for c in "Lab" for k in range(LEVELS)),
    *(f"peakedness{k}" for k in range(LEVELS)),
    *(f"kinship{k}" for k in range(LEVELS - 1)),
    *(f"way{way}_{scale}" for scale in ("fine", "coarse") for way in range(WAYS)),
    *(f"hue{k}" for k in range(HUES)),
    "centre_L", "centre_a", "centre_b", "centre_detail",
)  # fmt: skip


def describe_layout(image: Image) -> np.ndarray:
    """The statistics called `NAMES`, float64, shape=(121,), always finite, on a 256 x 256 copy in OKLab.

    - means of L, a and b and the deviation of L in 4 x 4 cells;
    - log10 of the deviation of each level of a Laplacian pyramid (Burt & Adelson 1983) of L, a and b;
    - peakedness: log of the kurtosis of L's levels, large where edges stand on plain ground (Field 1994); kinship: correlation of
      the magnitudes of neighbouring levels, what edges have and noise has not (Portilla & Simoncelli 2000);
    - shares of the gradient's energy in eight directions, fine and coarse; shares of the chroma in eight hues;
    - the middle's L, a, b and log10 deviation minus the border's.

    >>> describe_layout(Image(np.full((64, 64, 3), 90, np.uint8))).shape, len(NAMES)
    ((121,), 121)
    """
    srgb = prepare(image)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lab = np.moveaxis(np.asarray(linear_to_oklab(linear), np.float64), -1, 0)
    side = lab.shape[1] // CELLS
    cells = lab.reshape(3, CELLS, side, CELLS, side)
    levels = [_pyramid(plane) for plane in lab]
    detail = [np.log10(plane.std() + 1e-4) for bands in levels for plane in bands]
    middle, border = lab[:, side:-side, side:-side], np.ones(lab.shape[1:], bool)
    border[side:-side, side:-side] = False
    hues = np.arctan2(lab[2], lab[1])
    chroma = np.hypot(lab[1], lab[2])
    told = np.histogram(hues, HUES, (-np.pi, np.pi), weights=chroma)[0] / max(float(chroma.sum()), 1e-6)
    values = np.concatenate([
        cells.mean(axis=(2, 4)).ravel(), cells[0].std(axis=(1, 3)).ravel(), detail,
        [np.log((plane**4).mean() / max(float((plane**2).mean()) ** 2, 1e-12) + 1e-3) for plane in levels[0]],
        [_kinship(fine, coarse) for fine, coarse in zip(levels[0], levels[0][1:], strict=False)],
        _ways(lab[0]), _ways(_halved(_halved(lab[0]))), told,
        middle.mean(axis=(1, 2)) - lab[:, border].mean(axis=1),
        [np.log10(middle[0].std() + 1e-3) - np.log10(lab[0][border].std() + 1e-3)],
    ])  # fmt: skip
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)


def _halved(plane: np.ndarray) -> np.ndarray:
    rows, columns = plane.shape
    return np.asarray(plane.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3)))


def _pyramid(plane: np.ndarray) -> list[np.ndarray]:
    made = []
    for _ in range(LEVELS):
        small = _halved(plane)
        made.append(plane - np.repeat(np.repeat(small, 2, axis=0), 2, axis=1))
        plane = small
    return made


def _kinship(fine: np.ndarray, coarse: np.ndarray) -> float:
    a, b = _halved(np.abs(fine)).ravel(), np.abs(coarse).ravel()
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 1e-9 else 0.0


def _ways(plane: np.ndarray) -> np.ndarray:
    dy, dx = np.gradient(plane)
    energy = dx**2 + dy**2
    turn = np.arctan2(dy, dx) % np.pi
    return np.asarray(np.histogram(turn, WAYS, (0, np.pi), weights=energy)[0] / max(float(energy.sum()), 1e-9))
