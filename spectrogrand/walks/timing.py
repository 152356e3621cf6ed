"""Where a walk stands in every video frame: moved on by the song's energy, and nudged so that it leaps on the beats."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from ..audio.rhythm.percussive import Energies
from ..errors import InvalidValue
from ..types import Frames, frame_count

DRIVES = ("percussive", "harmonic", "both", "linear", "constant")
BURST = 0.16
"""Share of the time from beat to beat in which a synchronised walk covers 1 - 1/e of the way."""


def positions(
    energies: Energies, fps: Fraction, stops: int, *, drive: str = "both", smooth: float = 0.2, mix: float = 0.5
) -> np.ndarray:
    """Where a walk over `stops` pictures stands at the end of each video frame, float64, shape=(frame,), from 0 to stops - 1.

    The song is cut into stops - 1 equal stretches, one from each picture to the next. In a stretch the way gone is the
    normalised cumulative energy, (1 - smooth) E(t) / E(end) + smooth (t / length) (Pina and Li, arXiv:2412.05694, 3.2,
    after the music videos of `stable-diffusion-videos`); a stretch without energy is walked evenly. Energies are
    integrated between each frame's own two times, so no rate drifts and nothing is repeated.

    Args:
        drive: "percussive" or "harmonic" mel energy, or "both", each relative to its own sum in the stretch; "linear": an even
            walk, whatever sounds; "constant": each picture stands for an equal time, and the next one follows by a cut (the two
            controls of the paper; its constant walk never reaches the last picture).
        smooth: share of even walking, 0 to 1.
        mix: of "both": the share of the percussive energy, 0 to 1 (the notebook suggests 0.8).

    Raises:
        InvalidValue: a setting out of range.

    >>> from spectrogrand.audio.rhythm.percussive import Energies
    >>> song = Energies(np.ones(44, np.float32), np.ones(44, np.float32), 43.066, Fraction(1))
    >>> positions(song, Fraction(4), 3).round(2).tolist()
    [0.5, 1.0, 1.5, 2.0]
    """
    if drive not in DRIVES:
        raise InvalidValue(f"a walk is driven by one of {', '.join(DRIVES)}, not by {drive!r}")
    if isinstance(smooth, bool) or not isinstance(smooth, int | float) or not 0 <= smooth <= 1 or stops < 1:
        raise InvalidValue(f"a walk takes smooth from 0 to 1 and at least one stop, got {smooth!r} and {stops}")
    count = frame_count(energies.duration, fps)
    if isinstance(mix, bool) or not isinstance(mix, int | float) or not 0 <= mix <= 1:
        raise InvalidValue(f"a walk takes mix, the percussive share, from 0 to 1, got {mix!r}")
    if stops == 1:
        return np.zeros(count)
    if drive == "constant":
        share = np.arange(count) / float(fps) / float(energies.duration)
        return np.minimum(np.floor(share * stops + 1e-9), stops - 1)
    heard = {"harmonic": 1 - mix, "percussive": mix}
    shares = heard if drive == "both" else {name: float(drive == name) for name in heard}
    curves = [(e, w) for e, w in zip(energies.at(fps), shares.values(), strict=True) if w]
    smooth = 1.0 if drive == "linear" else smooth
    ends = np.minimum(np.arange(1, count + 1) / float(fps), float(energies.duration))
    knots = np.append(0.0, ends)
    borders = np.linspace(0, float(energies.duration), stops)
    even = ends / float(energies.duration) * (stops - 1)
    stretch = np.clip(np.searchsorted(borders, ends, side="left") - 1, 0, stops - 2)
    gone = np.zeros(count)
    for curve, weight in curves:
        total = np.append(0.0, np.cumsum(curve * np.diff(knots)))
        at = np.interp(borders, knots, total)
        length = np.diff(at)
        loud = length > 1e-12 * max(total[-1], 1e-12)
        share = (total[1:] - at[stretch]) / np.where(loud, length, 1)[stretch]
        gone += weight * np.where(loud[stretch], share, even - stretch)
    walked = stretch + np.clip((1 - smooth) * gone + smooth * (even - stretch), 0, 1)
    return np.maximum.accumulate(np.clip(walked, 0, stops - 1))


def on_beats(walk: np.ndarray, fps: Fraction, beats: np.ndarray, *, strength: float = 1.0) -> np.ndarray:
    """The same walk with its time nudged: between two beats it goes as far as before, most of it right after the first.

    Where a walk stands when a beat's frame begins does not change, so it still follows the music's energy; within the
    beat, the share u of the time becomes (1 - exp(-u / 0.16)) / (1 - exp(-1 / 0.16)) of the way. What changes most on
    the screen then changes in the frame that holds the beat. Before the first and after the last beat nothing is nudged.

    Args:
        walk: where it stands at the end of each frame, shape=(frame,), never going back.
        beats: seconds, rising.
        strength: 0 leaves the walk, 1 is the whole nudge.

    >>> on_beats(np.arange(1, 11) / 10, Fraction(10), np.array([0.2, 0.7])).round(2).tolist()
    [0.1, 0.2, 0.56, 0.66, 0.69, 0.7, 0.7, 0.8, 0.9, 1.0]
    """
    if not 0 <= strength <= 1:
        raise InvalidValue(f"synchronise has a strength from 0 to 1, got {strength!r}")
    ends = np.arange(1, len(walk) + 1) / float(fps)
    # the whole leap falls into the frame that holds the beat: begun within it, most of it would show one frame late
    beats = np.unique(np.floor(np.asarray(beats, np.float64) * float(fps) + 1e-6)) / float(fps)
    beats = beats[(beats >= 0) & (beats < ends[-1])]
    if len(beats) < 2 or not strength:
        return np.asarray(walk, np.float64).copy()
    standing = np.interp(beats, np.append(0.0, ends), np.append(0.0, walk))
    k = np.clip(np.searchsorted(beats, ends, side="right") - 1, 0, len(beats) - 2)
    share = (ends - beats[k]) / np.diff(beats)[k]
    inside = (share > 0) & (share < 1)
    leap = (1 - np.exp(-np.clip(share, 0, 1) / BURST)) / (1 - np.exp(-1 / BURST))
    nudged = standing[k] + np.diff(standing)[k] * leap
    out = np.where(inside, walk + strength * (nudged - walk), walk)
    return np.maximum.accumulate(out)


def retimed(frames: Frames, beats: np.ndarray, *, strength: float = 1.0) -> Frames:
    """Any frames shown by `on_beats`' clock: they rush on after each beat and wait for the next; none is drawn anew.

    On a beat the picture is the one that was there before, so what already falls on a beat stays on it. One walk over the
    source, nothing is kept but one picture.

    >>> import numpy as np
    >>> count = Frames(lambda: (np.full((2, 2, 3), k, np.uint8) for k in range(10)), (2, 2), 10, Fraction(10))
    >>> [int(p[0, 0, 0]) for p in retimed(count, np.array([0.2, 0.7]))]
    [0, 1, 5, 6, 6, 6, 6, 7, 8, 9]
    """
    shown = np.round(on_beats(np.arange(1, frames.count + 1, dtype=np.float64), frames.fps, beats, strength=strength))
    index = np.clip(shown.astype(np.int64) - 1, 0, frames.count - 1)

    def make() -> Iterator[np.ndarray]:
        source, at, picture = iter(frames), -1, None
        for wanted in index:
            while at < wanted:
                picture, at = next(source), at + 1
            assert picture is not None
            yield picture
        for _ in source:  # its last pictures are walked to, so that a source that makes too few is named
            pass

    return Frames(make, frames.size, frames.count, frames.fps)
