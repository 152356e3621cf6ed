"""From what a song does to what a camera and its lights do, frame by frame: curves, one value per frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...audio.features import Features
from ...types import Audio
from ..director.direction import Direction, direct, space_flashes
from ..director.sections import find_sections


@dataclass(frozen=True, eq=False)
class Moves:
    """Curves of shape=(frame,): `beat`, `bar` and `drop` are envelopes in [0, 1] that swell at the event and fade;
    `phase` is how far the camera has travelled, in turns; `energy` is slow loudness in [0, 1];
    `bands` has shape=(3, frame): low, middle and high sound now, in [0, 1]; `flash` is `beat` and `drop` without what
    would flash more than three times in a second; `direction` is what the director wants of each section."""

    beat: np.ndarray
    bar: np.ndarray
    drop: np.ndarray
    phase: np.ndarray
    energy: np.ndarray
    bands: np.ndarray
    flash: np.ndarray
    direction: Direction


def moves(song: Audio, features: Features, count: int, fps: float, loop: bool, seed: int = 0) -> Moves:
    """Plan all frames; `loop` makes every curve flow from its last value into its first."""
    sections = find_sections(song, features)
    direction = direct(sections, count, fps, seed)
    times = (np.arange(count) + 0.5) / fps
    rms = features.sample(features.rms, times)
    raw = features.sample(features.bands, times)
    raw = np.where(rms > 1e-4, raw, -80)
    low, middle, high = (np.clip((part.mean(0) + 60) / 55, 0, 1) for part in (raw[:3], raw[3:9], raw[9:]))
    bands = np.stack([_smooth(b, fps * 0.3, loop) for b in (low, middle, high)])
    usual = max(float(np.quantile(rms, 0.9)), 1e-3)
    loud = np.clip(20 * np.log10(np.maximum(rms, 1e-6) / usual) / 40 + 0.9, 0, 1)
    energy = _smooth(loud, fps * 1.2, loop)
    strength = np.asarray(features.beat_strength, np.float64)
    if len(strength):
        strength = np.clip(0.6 + 0.4 * strength / max(float(np.quantile(strength, 0.8)), 1e-6), 0, 1)
        strength = strength * np.interp(features.beats, times, np.minimum(1, 2 * energy))
    period = float(np.clip(np.median(np.diff(features.beats)), 0.3, 0.8)) if len(strength) > 1 else 0.5
    beat = envelope(features.beats, strength, count, fps, 0.34 * period, loop)
    on_bar = np.isin(np.round(features.beats, 4), np.round(features.downbeats, 4))
    bar = envelope(features.beats[on_bar], strength[on_bar], count, fps, 0.3, loop)
    drops = np.array([s.start for s in sections if s.name == "drop" and s.start > 0.1])
    drop = envelope(drops, np.ones(len(drops)), count, fps, 0.9, loop)
    shown = space_flashes(features.beats)
    flash = envelope(features.beats[shown], strength[shown], count, fps, 0.34 * period, loop)
    glide = envelope(features.beats, strength, count, fps, 0.5 * period, loop)
    speed = direction.energy * (0.02 + 0.03 * energy + 0.34 * glide) / fps
    phase = np.concatenate([[0.0], np.cumsum(speed)])
    if loop:
        phase *= max(1, round(phase[-1])) / phase[-1]
    return Moves(beat, bar, drop, phase[:-1], energy, bands, flash, direction)


def envelope(events: np.ndarray, strength: np.ndarray, count: int, fps: float, decay: float, loop: bool) -> np.ndarray:
    """Jumps to `strength` in the frame that holds each event (seconds), then fades by 1/e every `decay` seconds.

    Shape=(frame,). A jump, because a swell of several frames stops before it fades and is seen as two events.

    >>> envelope(np.array([0.05]), np.ones(1), 3, 10.0, 0.1, False).round(2).tolist()
    [1.0, 0.37, 0.14]
    """
    out = np.zeros(count)
    fade = np.exp(-np.arange(1 + int(8 * decay * fps)) / (decay * fps))
    for turn in (0, count) if loop else (0,):
        for at, power in zip(np.asarray(events), strength, strict=True):
            first = int(np.floor(at * fps + 1e-6)) - turn
            part = slice(max(0, first), max(0, first + len(fade)))
            shown = fade[max(0, -first) : max(0, -first) + len(out[part])]
            np.maximum(out[part], power * shown, out=out[part])
    return out


def _smooth(curve: np.ndarray, width: float, loop: bool) -> np.ndarray:
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(curve, max(width, 1e-3), mode="wrap" if loop else "nearest"))
