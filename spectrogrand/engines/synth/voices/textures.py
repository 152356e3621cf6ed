"""What the topic's motif families sound like: a quiet bed of waves, wind, birds, machines, voices or stars."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..mixing import Bus
from ..score import Score
from ..style import MOTIFS
from ..timing import RATE
from . import kit, places
from .filters import bandpass, formant, highpass, lowpass, sweep
from .oscillators import decay, envelope, glide, hertz, noise, sine, wave


def _sea(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    x = np.linspace(0, 1, n, dtype=np.float32)
    swell = np.sin(np.pi * x) ** 2
    return sweep(noise(rng, n, 2), 350 + 4200 * swell**2) * (0.25 + 0.75 * swell) * envelope(n, 0.3, 0.5)


def _wind(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    x = np.linspace(0, 2 * np.pi, n, dtype=np.float32)
    centre = 420 * 2 ** (0.9 * np.sin(x + rng.uniform(0, 6)) + 0.4 * np.sin(3 * x))
    low = sweep(noise(rng, n, 2), centre, q=5.0)
    return highpass(low, 160) * (0.7 + 0.3 * np.sin(2 * x)) * envelope(n, 0.4, 0.5) * 1.2


def _city(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    rumble = lowpass(noise(rng, n, 2), 260) * 1.6
    crackle = np.zeros((2, n), np.float32)
    for at in rng.integers(0, n - 400, max(4, n // 2600)):
        crackle[int(rng.integers(2)), at : at + 60] += noise(rng, 60) * decay(60, 0.0004) * rng.uniform(0.2, 1.4)
    passing = bandpass(noise(rng, n, 2), 700, 1600) * np.sin(np.linspace(0, np.pi, n)) ** 4
    return np.asarray((rumble + highpass(crackle, 900) + 0.5 * passing) * envelope(n, 0.3, 0.5))


def _forest(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    out = bandpass(noise(rng, n, 2), 2600, 6500) * np.float32(0.14)
    for _ in range(max(2, int(n / RATE * 2.2))):  # birds: a few quick chirps from one place
        at, hz, side = int(rng.integers(0, max(1, n - 16000))), rng.uniform(2300, 4600), rng.uniform(0.15, 0.85)
        for k in range(int(rng.integers(2, 5))):
            size = int(rng.uniform(0.04, 0.09) * RATE)
            start = at + k * int(1.4 * size)
            if start + size > n:
                break
            x = np.linspace(0, 1, size)
            chirp = sine(hz * (1 + 0.25 * np.sin(np.pi * x * rng.uniform(1, 3))), size) * np.sin(np.pi * x) * 0.4
            out[0, start : start + size] += (1 - side) * chirp
            out[1, start : start + size] += side * chirp
    return out * envelope(n, 0.3, 0.5)


def _machines(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    hum = lowpass(wave("square", 50.0, n), 420) + 0.4 * bandpass(wave("saw", 100.3, n), 600, 1400)
    out = np.stack([hum, np.roll(hum, 311)]) * np.float32(0.25)
    for step in (3, 6, 10, 11, 14):
        at, hit = score.grid.length(step), kit.clank(float(rng.uniform(500, 1900)), 0.18, rng)
        stop = min(n, at + len(hit))
        if at < stop:
            out[int(rng.integers(2)), at:stop] += 0.8 * hit[: stop - at]
    return out * envelope(n, 0.05, 0.1)


def _faces(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    key = score.style.key
    out = np.zeros((2, n), np.float32)
    for channel in range(2):
        for degree in (0, 2, 4):
            drift = 1 + 0.004 * np.sin(2 * np.pi * rng.uniform(4.5, 5.8) * np.arange(n) / RATE + rng.uniform(0, 6))
            out[channel] += glide("vocal", hertz(key.midi(degree, 4)) * drift, float(rng.random()))
    x = np.linspace(0, 1, n, dtype=np.float32)
    return ((1 - x) * formant(out, "o") + x * formant(out, "a")) * envelope(n, 0.4, 0.5) * 0.9


def _space(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    key = score.style.key
    out = np.zeros((2, n), np.float32)
    for degree in (0, 4, 7, 9):
        for channel in range(2):
            beat = 1 + 0.002 * rng.standard_normal()
            shimmer = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.1, 0.6) * np.arange(n) / RATE + rng.uniform(0, 6))
            out[channel] += sine(hertz(key.midi(degree, 6)) * beat, n, float(rng.random())) * shimmer * 0.16
    size = min(n, int(0.5 * RATE))
    at = int(rng.integers(0, n - size + 1))
    laser = sine(np.geomspace(3800, 160, size), size) * envelope(size, 0.005, 0.4) * 0.35
    out[:, at : at + size] += laser
    return out * envelope(n, 0.4, 0.5)


def _geometry(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    key, out = score.style.key, np.zeros((2, n), np.float32)
    every = score.grid.length(3)
    for k, at in enumerate(range(0, n - every, every)):  # three against four
        hz = hertz(key.midi((0, 4, 7, 4, 9)[k % 5], 6))
        bell = (sine(hz, every) + 0.4 * sine(2.76 * hz, every)) * decay(every, 0.07) * envelope(every, 0.002, 0.03)
        out[k % 2, at : at + every] += 0.5 * bell
    return out


def _waves(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    x = np.arange(n) / RATE
    root, beat = hertz(score.style.key.midi(0, 4)), float(score.grid.beat_samples) / RATE
    moving = glide("triangle", root * 2 ** (0.5 * np.sin(2 * np.pi * x / (4 * beat))), 0.25)
    side = 0.5 * np.sin(2 * np.pi * x / beat)
    return np.asarray(
        np.stack([moving * (0.5 + side), moving * (0.5 - side)]) * (0.45 * envelope(n, 0.2, 0.3)), np.float32
    )


def _abstract(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    key, out = score.style.key, np.zeros((2, n), np.float32)
    for _ in range(max(8, int(n / RATE * 26))):  # a cloud of grains from the scale
        size = int(rng.uniform(0.03, 0.12) * RATE)
        at = int(rng.integers(0, max(1, n - size)))
        hz = hertz(key.midi(int(rng.integers(0, 21)), 4))
        grain = wave("triangle", hz, size, 0.25) * np.hanning(size).astype(np.float32)
        side = rng.uniform(0, 1)
        stop = min(n, at + size)
        out[0, at:stop] += 0.35 * (1 - side) * grain[: stop - at]
        out[1, at:stop] += 0.35 * side * grain[: stop - at]
    return out


def _vinyl(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    out = bandpass(noise(rng, n, 2), 300, 5000) * np.float32(0.08)
    for at in rng.integers(0, n - 200, max(6, n // 1500)):
        out[:, at : at + 40] += highpass(noise(rng, 40), 1200) * decay(40, 0.0003) * rng.uniform(0.2, 1.5)
    return out * envelope(n, 0.2, 0.25)


_BEDS: dict[str, Callable[[Score, int, np.random.Generator], np.ndarray]] = {
    "space": _space, "city": _city, "sea": _sea, "mountains": _wind, "forest": _forest,
    "machines": _machines, "faces": _faces, "geometry": _geometry, "waves": _waves, "abstract": _abstract, "vinyl": _vinyl,
    "rain": places.rain, "thunder": places.thunder, "crowd": places.crowd, "bells": places.bells, "fire": places.fire,
}  # fmt: skip


def play_textures(score: Score, bus: Bus) -> None:
    """What the topic names (rain, surf, a crowd), or the two strongest motif families; old times crackle like a record.

    Each is renewed every bar or two, in four versions.
    """
    shares = np.array(score.mood.motifs)
    heard = [(MOTIFS[int(i)], float(shares[i])) for i in np.argsort(-shares, kind="stable")[:2]]
    named = [(bed, 0.75) for bed in score.style.wishes.beds]
    for name, share in [*(named or heard), *([] if "vinyl" in dict(named) else [("vinyl", -0.5 * score.mood.era)])]:
        if share < 0.12:
            continue
        span = 1 if name in ("machines", "geometry") else 2
        for bar, level in score.playing("texture"):
            if bar.place % span or bar.last:
                continue
            version = (bar.index // span) % 4
            n = score.grid.length(16 * span) + int(0.25 * RATE)
            rng = score.style.taste("bed", name, version)
            sound = score.sound(("texture", name, version), _BEDS[name], score, n, rng)
            bus.place(sound, score.grid.step(bar.index, 0), 0.35 * level * min(1.0, share * 2.2))
