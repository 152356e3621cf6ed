"""Chroma -> class vectors: how much of each chosen class a frame shows. Scanned in blocks, with no loop over classes.

The published procedure (rushk014/biggan-visualizer, after Siegelman's Deep Music Visualizer), with K chosen classes, the
song's pitch classes p_1 ... p_K from the strongest down, chroma c (pitch class, frame) and a sensitivity s:

    v_0[i]   = c[p_i, first frame that sounds]
    w_f[i]   = v_f[i] + c[p_i, f] / (s + 1)
    v_{f+1}  = (w_f - min w_f) / (max w_f - min w_f)

Every frame is normalised, so every frame depends on the one before. Yet with W_0 = v_0 and the span S_f = max W_f - min W_f

    W_{f+1} = W_f + S_f c[p, f] / (s + 1),        v_f = (W_f - min W_f) / S_f

and while the same class stays the largest (i) and the same the smallest (j), S is a running product of
1 + (c[p_i, f] - c[p_j, f]) / (s + 1) and W a running sum: whole blocks at once, up to the next change of i or j.
"""

from __future__ import annotations

import numpy as np

from ..errors import InvalidValue

CLASSES = 1000
"""ImageNet's classes: the length of a class vector."""
_SHORTEST, _LONGEST = 64, 256
"""Frames tried at once: the extremes change about every 40 frames of music."""
_NUDGE = 0.01
"""Added to the first class where all are equal, as published: equal classes have no span to divide by."""


def pitch_order(chroma: np.ndarray, count: int, *, by_power: bool = True) -> np.ndarray:
    """The `count` strongest pitch classes (mean chroma) of shape=(12, frame): strongest first, or from C to B.

    >>> pitch_order(np.eye(12)[:, [9, 9, 4]], 2).tolist(), pitch_order(np.eye(12)[:, [9, 9, 4]], 2, by_power=False).tolist()
    ([9, 4], [4, 9])
    """
    if not 1 <= count <= 12:
        raise InvalidValue(f"num_classes is 1 to 12, one per pitch class, got {count!r}")
    strongest = np.argsort(-np.mean(chroma, axis=1, dtype=np.float64), kind="stable")[:count]
    return strongest if by_power else np.sort(strongest)


def class_weights(chroma: np.ndarray, order: np.ndarray, sensitivity: float) -> np.ndarray:
    """Weights of the chosen classes, float64 in [0, 1], shape=(frame + 1, class); row f has heard the frames before f.

    Args:
        chroma: shape=(12, frame), values in [0, 1]. Silent frames (zeros) leave the weights as they are.
        order: the pitch class behind each chosen class, shape=(class,).
        sensitivity: s above 0: the published (300 - pitch_sensitivity) * 512 / frame_length; small changes faster.

    One class alone is always 1. Row 0 is the chroma itself, not normalised, as published.

    Raises:
        InvalidValue: a sensitivity that is not above 0.

    >>> class_weights(np.array([[1.0, 1.0], [0.5, 0.5]]), np.array([0, 1]), 80.0).round(3).tolist()
    [[1.0, 0.5], [1.0, 0.0], [1.0, 0.0]]
    """
    if not sensitivity > 0:
        raise InvalidValue(f"the class sensitivity is above 0, got {sensitivity!r}: pitch_sensitivity is below 300")
    steps = np.ascontiguousarray(chroma[order].T, np.float64) / (sensitivity + 1)
    frames, count = steps.shape
    if count == 1:
        return np.ones((frames + 1, 1))
    out = np.empty((frames + 1, count))
    out[0] = first_weights(chroma, order)
    if frames:
        out[1] = _normalised(_apart(out[0] + steps[0]))
    done, size = 1, _SHORTEST
    while done < frames:
        a = steps[done : done + size]
        now = out[done]
        top, bottom = now.argmax(), now.argmin()
        now = (now - now[bottom]) / (now[top] - now[bottom])
        span = np.cumprod(1 + a[:, top] - a[:, bottom])
        grown = out[done + 1 : done + 1 + len(a)]
        np.multiply(a[1:], span[:-1, None], out=grown[1:])
        np.add(now, a[0], out=grown[0])
        np.cumsum(grown, axis=0, out=grown)
        moved = (grown.argmax(axis=1) != top) | (grown.argmin(axis=1) != bottom)
        change = int(moved.argmax())
        good = change + 1 if moved[change] else len(a)
        done += good
        size = min(_LONGEST, 2 * size) if good == len(a) else max(_SHORTEST, min(size, 2 * good))
    out[1:] = _normalised(np.ascontiguousarray(out[1:].T), axis=0).T
    return out


def first_weights(chroma: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Chroma of the first frame that sounds, shape=(class,); ones where none does."""
    heard = np.flatnonzero(chroma.max(axis=0, initial=0) > 0)
    return chroma[order, heard[0]].astype(np.float64) if len(heard) else np.ones(len(order))


def smooth(weights: np.ndarray, width: int) -> np.ndarray:
    """Means of `width` frames, joined by straight lines between the middles of those stretches; same shape.

    The published smoothing (never called there) puts each mean at the beginning of its stretch, half a stretch early,
    shows it twice in a row, and drops the last two stretches of the song.

    >>> smooth(np.arange(6.0)[:, None], 2)[:, 0].tolist()
    [0.5, 1.0, 2.0, 3.0, 4.0, 4.5]
    """
    if width <= 1 or len(weights) <= 1:
        return weights
    starts = np.arange(0, len(weights), width)
    lengths = np.diff(np.append(starts, len(weights)))
    means = np.add.reduceat(weights, starts, axis=0) / lengths[:, None]
    middles = starts + (lengths - 1) / 2
    at = np.interp(np.arange(len(weights)), middles, np.arange(len(starts)))
    low = at.astype(np.int64)
    part = (at - low)[:, None]
    return np.asarray(means[low] * (1 - part) + means[np.minimum(low + 1, len(starts) - 1)] * part)


def published_class_weights(
    chroma: np.ndarray, order: np.ndarray, first: np.ndarray, sensitivity: float
) -> tuple[np.ndarray, np.ndarray]:
    """What the published program stores, defects included: weights, shape=(frame + 1, class), and of all others, (frame + 1,).

    Its vectors share one array with the next frame's sum: each stored one but the last already holds the next frame's
    chroma, and the classes that nobody chose hold its smallest value. Silence ends in an error or in numbers that are not
    finite; the smallest class is the smallest that is not exactly 0. For comparison only: frame by frame, slow.
    """
    out = np.empty((len(chroma[0]) + 1, len(order)))
    others = np.zeros(len(out))
    last = np.array(first, np.float64)
    for f, step in enumerate(chroma[order].T.astype(np.float64) / (sensitivity + 1)):
        last = last + step
        if np.std(last[last != 0]) < 1e-7:
            last[0] += _NUDGE
        smallest = last[last != 0].min()
        last[last == 0] = smallest
        out[f], others[f] = last, smallest
        last = (last - smallest) / (last.max() - smallest)
    out[-1] = last
    return out, others


def _apart(weights: np.ndarray) -> np.ndarray:
    if np.std(weights) < 1e-7:
        weights[0] += _NUDGE
    return weights


def _normalised(weights: np.ndarray, axis: int = -1) -> np.ndarray:
    low = weights.min(axis=axis, keepdims=True)
    return np.asarray((weights - low) / (weights.max(axis=axis, keepdims=True) - low))
