"""Mel power and its gradient -> noise vectors: a walk of 128 axes that turn back at a border. Solved in blocks.

The published procedure (rushk014/biggan-visualizer), with loudness e_f in [0, 2], sensitivity t, jitters j in {1, 1 - jitter}
drawn anew every 200 frames, directions d in {-1, 1}, and truncation T:

    u_{f+1} = (t e_f j_f d_f + 3 u_f) / 4             the step follows the one before
    n_{f+1} = n_f + u_{f+1}
    d_{f+1} = -1 where n_{f+1} >= 2T - t;  +1 where n_{f+1} < -(2T - t);  else d_f

Between two jitters e and t are the same for every axis. With P_r the filtered and C_r the summed response to e t / 4 from
rest, an axis that last turned before frame g, there at n with step u, is after frame r, in its own direction, at

    d n_r = d n + j (C_r - C_g) + 3 (1 - (3/4)^(r - g)) (d u - j P_g)

a sum of three products of something of the frame (1, C_r, (3/4)^r) and something of the axis: one small matrix product for
a block of all axes. Only axes that reach the border are solved again from there.
Axes overshoot the border by the steps still in flight, up to three of them, and where t > T the border lies on the wrong side;
here the border is never nearer than T and what leaves [-2T, 2T] is mirrored back.
"""

from __future__ import annotations

import numpy as np

NOISE = 128
EVERY = 200
"""Frames between new jitters."""
_BLOCK = 100
"""Frames solved at once, a part of `EVERY`: few axes turn twice in them."""


def draw(seed: int, frames: int, *, truncation: float, jitter: float) -> tuple[np.ndarray, np.ndarray]:
    """What chance decides: (the first noise vector, shape=(128,); jitters, shape=(1 + frames // 200, 128)).

    The first is truncation times a normal truncated to [-2, 2] (BigGAN's truncation trick, Brock et al. 2018, section 3.1).

    >>> first, jitters = draw(0, 400, truncation=0.5, jitter=0.25)
    >>> bool(abs(first).max() <= 1.0), sorted(set(jitters.ravel().tolist()))
    (True, [0.75, 1.0])
    """
    from scipy.special import ndtr, ndtri

    rng = np.random.default_rng(seed)
    uniform = rng.uniform(ndtr(-2.0), ndtr(2.0), NOISE)
    first = truncation * ndtri(uniform)
    return first, np.where(rng.random((1 + frames // EVERY, NOISE)) < 0.5, 1.0, 1.0 - jitter)


def noise_walk(
    loudness: np.ndarray, first: np.ndarray, jitters: np.ndarray, *, sensitivity: float, truncation: float
) -> np.ndarray:
    """Noise vectors, float32 in [-2T, 2T], shape=(frame + 1, axis); row 0 is `first`.

    Args:
        loudness: e, shape=(frame,): power plus its rise, 0 in silence, where the walk rolls out and stands still.
        first: shape=(axis,).
        jitters: shape=(1 + frame // 200, axis). See `draw`.
        sensitivity: t, the published tempo_sensitivity * frame_length / 512.
        truncation: T in (0, 1].

    >>> still = noise_walk(np.zeros(9), *draw(0, 9, truncation=1.0, jitter=0.5), sensitivity=0.25, truncation=1.0)
    >>> bool((still == still[0]).all())
    True
    """
    border = 2 * truncation - min(sensitivity, truncation)
    raw, limit = _raw_walk(loudness, first, jitters, sensitivity, border), 2 * truncation
    return _folded(raw, (raw > limit) | (raw < -limit), limit).T


def fold(x: np.ndarray, limit: float) -> np.ndarray:
    """Mirror at -limit and limit as often as needed; values inside stay as they are.

    >>> fold(np.array([0.5, 1.25, -3.5]), 1.0).tolist()
    [0.5, 0.75, 0.5]
    """
    outside = (x > limit) | (x < -limit)
    return _folded(np.array(x), outside, limit) if outside.any() else x


def _folded(x: np.ndarray, outside: np.ndarray, limit: float) -> np.ndarray:
    x[outside] = limit - np.abs(np.mod(x[outside] + limit, 4 * limit) - 2 * limit)
    return x


def published_noise_walk(
    loudness: np.ndarray, first: np.ndarray, jitters: np.ndarray, *, sensitivity: float, truncation: float
) -> np.ndarray:
    """The published walk frame by frame, defects included (it leaves its range); for comparison only."""
    border = 2 * truncation - sensitivity
    out = np.empty((len(loudness) + 1, len(first)))
    out[0] = first
    direction, step = np.where(first < 0, 1.0, -1.0), np.zeros(len(first))
    for f, e in enumerate(loudness):
        step = (sensitivity * e * direction * jitters[f // EVERY] + 3 * step) / 4
        out[f + 1] = out[f] + step
        direction[out[f + 1] >= border] = -1
        direction[out[f + 1] < -border] = 1
    return out


def _raw_walk(
    loudness: np.ndarray, first: np.ndarray, jitters: np.ndarray, sensitivity: float, border: float
) -> np.ndarray:
    """The walk before it is mirrored, shape=(axis, frame + 1)."""
    from scipy.signal import lfilter

    frames, axes, size = len(loudness), len(first), _BLOCK
    blocks = -(-frames // size)
    force = np.zeros((blocks, size))
    force.reshape(-1)[:frames] = sensitivity / 4 * np.asarray(loudness, np.float64)
    response = np.zeros((blocks, size + 1))
    response[:, 1:] = lfilter([1.0], [1.0, -0.75], force, axis=1)
    travel, decay = np.cumsum(response, axis=1), 0.75 ** np.arange(size + 1)
    # the three terms that the header names, after 0, 1, ... frames; what they add up to for (place, step) at the end
    basis = np.stack([np.ones_like(travel), travel, np.broadcast_to(decay, travel.shape)], axis=1)
    backwards = np.ascontiguousarray(basis[..., ::-1])
    forwards = np.ascontiguousarray(basis[..., 1:], np.float32)  # what is written; turns are found in float64
    final = np.zeros((blocks, 3, 2))
    final[:, :, 0], final[:, 1, 1], final[:, 2, 1] = basis[:, :, -1], response[:, -1], -decay[-1] / 3
    # an axis that turns after g frames mirrors its terms and starts from the step that it had
    turn, sign = np.stack([-2 * (travel + 3 * response), 6 * response / decay], axis=2), np.array([-1.0, 1.0, -1.0])
    turn = np.concatenate([turn, turn[:, -1:]], axis=1)  # rounding may put a turn at the very end one frame late
    after = np.arange(1, size + 1) > np.arange(size + 2)[:, None]
    begin = np.array([[1.0, 0.0, 0.0], [3.0, 0.0, -3.0]])
    # place and step of each axis in its own direction: an axis turns where its place reaches the border
    direction = np.where(np.asarray(first) < 0, 1.0, -1.0)
    state = np.stack([direction * first, np.zeros(axes)], axis=1)
    out = np.empty((axes, blocks * size + 1), np.float32)
    out[:, 0] = first
    for k in range(blocks):
        ends = out[:, k * size + 1 : (k + 1) * size + 1]
        terms = state @ begin
        terms[:, 1] = jitters[k * size // EVERY]
        np.matmul(np.multiply(terms, direction[:, None], dtype=np.float32), forwards[k], out=ends)
        state = terms @ final[k]
        # an axis that moves forward moves on, so one that has not reached the border at the end never did
        here = np.flatnonzero(state[:, 0] >= border)
        terms, d = terms[here], direction[here]
        while len(here):
            start = size + 1 - (terms @ backwards[k] < border).argmax(axis=1)
            terms *= sign
            terms[:, ::2] += terms[:, 1:2] * turn[k][start]
            d = -d
            path = ends[here]
            np.copyto(path, np.multiply(terms, d[:, None], dtype=np.float32) @ forwards[k], where=after[start])
            ends[here], direction[here] = path, d
            reached = terms @ final[k]
            state[here] = reached
            again = np.flatnonzero(reached[:, 0] >= border)
            here, terms, d = here[again], terms[again], d[again]
    return out[:, : frames + 1]
