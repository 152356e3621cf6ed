"""A song's sections: what its plan declares, or what is recognised in its bars."""

from __future__ import annotations

import numpy as np

from ...audio.features import Features
from ...types import Audio, Section

_KERNEL = 4
"""Bars on each side of a boundary that are compared."""
_SURE = 1.05
"""How much more the sound must change at another beat than at the tracked downbeats, for sections to begin there."""
_LEAST = 4
"""Bars that a section has at least."""


def find_sections(song: Audio, features: Features) -> tuple[Section, ...]:
    """Sections that cover the song in order, each from a downbeat to a downbeat; one section "body" where none are found.

    A planned song's are taken from its plan. Others are recognised: bars are described by their mean bands and chroma,
    boundaries are the peaks of a checkerboard kernel along the diagonal of the bars' self-similarity (Foote 2000,
    doi:10.1109/ICME.2000.869637), and names follow loudness, bass and highs: a full one is a "drop", the thin ones are "intro",
    "break" and "outro" by their place, and one between them that leads into a drop is a "build", or a "break" after a drop.
    """
    end = float(song.duration)
    if song.plan is not None and song.plan.sections:
        return song.plan.sections
    bars = np.asarray(features.downbeats, np.float64)
    if len(bars) < 2 * _KERNEL + _LEAST:
        return (Section("body", 0.0, end),)
    described, power = _describe(features, bars, end)
    novelty = _novelty(described)
    limit = float(novelty.mean() + 0.75 * novelty.std())
    starts: list[int] = []
    for at in np.argsort(-novelty, kind="stable"):
        if novelty[at] < limit or novelty[at] < 0.02:
            break
        if _LEAST <= at <= len(bars) - 2 and all(abs(int(at) - s) >= _LEAST for s in starts):
            starts.append(int(at))
    if not starts:
        return (Section("body", 0.0, end),)
    times = [0.0, *_on_beats(features, bars[sorted(starts)]), end]
    edges = [0, *np.searchsorted(bars, np.array(times[1:-1]) - 0.5 * float(np.median(np.diff(bars)))), len(bars)]
    level = np.array([power[a : max(b, a + 1)].mean() for a, b in zip(edges, edges[1:], strict=False)])
    return tuple(Section(name, a, b) for name, a, b in zip(_names(level), times[:-1], times[1:], strict=True))


def _on_beats(features: Features, starts: np.ndarray) -> list[float]:
    """Starts of sections, seconds, moved by one number of beats, at most half a bar, to where the sound really changes.

    A tracker that is a beat off begins every bar a beat late, and no section; all of them together tell by how much.
    """
    beats = np.asarray(features.beats, np.float64)
    place = np.searchsorted(beats, starts - 1e-3)
    bar = max(1, round(float(np.median(np.diff(features.downbeats)) / np.median(np.diff(beats)))))
    described, _ = _describe(features, beats, float(beats[-1]))
    moves = sorted(range(-(bar // 2), bar // 2 + 1), key=abs)
    found = [_change(described, place + m, bar) for m in moves]
    best = int(np.argmax(found))
    move = moves[best] if found[best] > _SURE * found[0] else 0
    place = place + move
    for k, at in enumerate(place):  # patterns of two bars can hide a boundary in the bar beside it
        found = [_change(described, np.array([n]), bar) for n in (at, at - bar, at + bar)]
        best = int(np.argmax(found))
        if found[best] > _SURE * found[0]:
            place[k] = at + (0, -bar, bar)[best]
    return [float(beats[at]) for at in np.unique(np.clip(place, 1, len(beats) - 1))]


def _change(described: np.ndarray, places: np.ndarray, bar: int) -> float:
    """How far the bar after each place is from the bar before it, on the mean."""
    inside = [int(p) for p in places if 1 <= p < len(described)]
    far = [described[p : p + bar].mean(0) - described[max(0, p - bar) : p].mean(0) for p in inside]
    return float(np.mean(np.linalg.norm(far, axis=1))) if far else 0.0


def _describe(features: Features, bars: np.ndarray, end: float) -> tuple[np.ndarray, np.ndarray]:
    """Each bar's mean bands and chroma, shape=(bar, 28), less the song's; and its loudness with bass and highs, in dB."""
    edges = np.append(bars, end)
    at = np.clip(np.round(edges * features.frame_rate).astype(int), 0, len(features.rms) - 1)
    rows, power = [], []
    for a, b in zip(at, at[1:], strict=False):
        part = slice(a, max(b, a + 1))
        bands = features.bands[:, part].mean(1)
        rows.append(np.concatenate([bands / 20, 2 * features.chroma[:, part].mean(1)]))
        loud = 20 * np.log10(max(float(np.sqrt(np.mean(features.rms[part] ** 2))), 1e-5))
        power.append(0.4 * loud + 0.3 * float(bands[:3].mean()) + 0.3 * float(bands[6:].mean()))
    described = np.array(rows)
    return described - described.mean(0), np.array(power)


def _novelty(described: np.ndarray) -> np.ndarray:
    """Foote's novelty before each bar, shape=(bar,), relative to the mean distance of two bars."""
    distance = np.linalg.norm(described[:, None] - described[None], axis=2)
    distance /= max(float(distance.mean()), 1e-9)
    count, out = len(described), np.zeros(len(described))
    for k in range(1, count):
        n = min(_KERNEL, k, count - k)
        before, after = slice(k - n, k), slice(k, k + n)
        across = distance[before, after].mean()
        out[k] = across - 0.5 * (distance[before, before].mean() + distance[after, after].mean())
        out[k] *= n / _KERNEL
    return out


def _names(level: np.ndarray) -> list[str]:
    low, high = float(level.min()), float(level.max())
    if high - low < 1.5:
        return ["body"] * len(level)
    share = (level - low) / (high - low)
    names = ["drop" if s >= 0.7 else "build" if s >= 0.35 else "break" for s in share]
    for k, name in enumerate(names):
        if name == "build" and not (k + 1 < len(names) and names[k + 1] == "drop"):
            names[k] = "verse"
        elif name == "build" and k and names[k - 1] == "drop":
            names[k] = "break"
    if names[0] == "break":
        names[0] = "intro"
    if names[-1] == "break":
        names[-1] = "outro"
    return names
