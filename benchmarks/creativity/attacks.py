"""A hundred attacks of twenty kinds on the choice of a song: how often each wins against three honest songs.

    python -m benchmarks.creativity.attacks FOLDER [--split proof] [--each 5] [--trios 8] [--kinds tone,hum]

FOLDER is that of `benchmarks.creativity.candidates`: the honest songs, three of a topic at a time, and what is spoilt.
Gates, scorers and weights are those of the default pipeline (`conf/pipeline/audiovisual.yaml`). Chance is one in four. The made
speech is glottal pulses through gliding formants (Klatt 1980); other people's speech is not part of the project.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from spectrogrand import media
from spectrogrand.config import compose
from spectrogrand.registry import build
from spectrogrand.runs.slots import read_weight
from spectrogrand.selection import choose
from spectrogrand.types import Audio

RATE, SECONDS = 44100, 10
T = np.arange(RATE * SECONDS) / RATE
Attack = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def hiss(rng: np.random.Generator, colour: float = 0.0) -> np.ndarray:
    """Noise whose power falls as 1 / f^colour, deviation 1."""
    spectrum = np.fft.rfft(rng.normal(size=len(T)))
    spectrum *= np.maximum(np.fft.rfftfreq(len(T), 1 / RATE), 20) ** (-colour / 2)
    x = np.fft.irfft(spectrum, len(T))
    return np.asarray(x / x.std())


def cut_up(x: np.ndarray, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Pieces in random order, faded so that no click tells."""
    n = int(seconds * RATE)
    fade = np.minimum(1, np.minimum(np.arange(n), np.arange(n)[::-1]) / 220)
    pieces = x[: len(x) // n * n].reshape(-1, n) * fade
    return np.asarray(pieces[rng.permutation(len(pieces))].ravel())


def play_notes(rng: np.random.Generator, step: float, saw: bool) -> np.ndarray:
    """Notes of three octaves at random."""
    t = np.arange(int(step * RATE)) / RATE
    out = []
    for _ in range(int(SECONDS / step)):
        phase = 110 * 2 ** (rng.integers(0, 36) / 12) * t
        out.append((2 * (phase % 1) - 1 if saw else np.sin(2 * np.pi * phase)) * np.exp(-3 * t))
    return np.concatenate(out)


def talk(rng: np.random.Generator) -> np.ndarray:
    """Syllables of gliding pitch through formants that move from one to the next."""
    from scipy.signal import lfilter

    out: list[np.ndarray] = []
    low = rng.uniform(80, 180)
    while sum(map(len, out)) < len(T):
        n = int(rng.uniform(0.12, 0.3) * RATE)
        pitch = np.linspace(*rng.uniform(low, 2 * low, 2), n)
        x = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0) + 0.02 * rng.normal(size=n)
        for formant in (rng.uniform(300, 800), rng.uniform(900, 2200), 2600):
            r = np.exp(-np.pi * 90 / RATE)
            x = lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * formant / RATE), r * r], x)
        out += [x * np.hanning(n), np.zeros(int(rng.uniform(0.02, 0.15) * RATE))]
    return np.concatenate(out)[: len(T)]


def speed(x: np.ndarray, factor: float) -> np.ndarray:
    """Faster and higher, by resampling."""
    import soxr

    return np.asarray(soxr.resample(x, RATE * factor, RATE))


def gated(on: float, every: float) -> np.ndarray:
    """1 for `on` seconds of `every`, else 0."""
    return np.asarray((T % every < on).astype(float))


KINDS: dict[str, Attack] = {
    "tone": lambda x, r: np.sin(2 * np.pi * r.uniform(60, 2000) * T),
    "hum": lambda x, r: sum(np.sin(2 * np.pi * r.choice([50, 60]) * k * T) / k for k in range(1, 9)),
    "pulsing hum": lambda x, r: KINDS["hum"](x, r) * (1 + 0.9 * np.sin(2 * np.pi * r.uniform(0.5, 6) * T)),
    "beeps": lambda x, r: KINDS["tone"](x, r) * gated(0.1, r.uniform(0.3, 0.7)),
    "siren": lambda x, r: np.sin(2 * np.pi * np.cumsum(600 + 300 * np.sin(2 * np.pi * r.uniform(0.3, 2) * T)) / RATE),
    "white noise": lambda x, r: hiss(r),
    "coloured noise": lambda x, r: hiss(r, r.uniform(0.5, 2)),
    "noise bursts on the beat": lambda x, r: hiss(r) * gated(r.uniform(0.05, 0.2), 60 / 126),
    "noise bursts off the beat": lambda x, r: hiss(r) * (np.interp(T, np.arange(0, 11, 0.1), r.random(110)) > 0.7),
    "speech": lambda x, r: talk(r),
    "random notes, sines": lambda x, r: play_notes(r, r.choice([0.125, 0.25, 0.5]), saw=False),
    "random notes, saws": lambda x, r: play_notes(r, r.choice([0.125, 0.25, 0.5]), saw=True),
    "quarter seconds shuffled": lambda x, r: cut_up(x, 0.25, r),
    "other pieces shuffled": lambda x, r: cut_up(x, r.uniform(0.1, 0.6), r),
    "drowned in white noise": lambda x, r: x / x.std() + r.uniform(1, 2) * hiss(r),
    "drowned in pink noise": lambda x, r: x / x.std() + r.uniform(1, 2) * hiss(r, 1.0),
    "clipped": lambda x, r: np.clip(r.uniform(20, 60) * x, -1, 1),
    "one bar looped": lambda x, r: np.tile(x[: int(1.9 * RATE)], 6),
    "backwards": lambda x, r: x[::-1].copy(),
    "faster by half": lambda x, r: np.tile(speed(x, r.uniform(1.4, 1.8)), 2),
}


def spoil(kind: str, song: Audio, seed: int) -> Audio:
    """One attack, at most 10 s, peak 0.7 (a clipped one stays at full scale)."""
    import soxr

    mono = soxr.resample(song.samples.mean(axis=0, dtype=np.float32), song.rate, RATE).astype(np.float64)
    x = np.asarray(KINDS[kind](np.resize(mono, len(T)), np.random.default_rng(seed)))[: len(T)]
    x = x if kind == "clipped" else 0.7 * x / np.abs(x).max()
    return Audio(np.ascontiguousarray(x[None], np.float32), RATE)


def main() -> None:
    """Make, choose, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", default="proof")
    parser.add_argument("--each", type=int, default=5)
    parser.add_argument("--trios", type=int, default=8)
    parser.add_argument("--kinds", default=None)
    options = parser.parse_args()
    config = compose(["topic=x"])
    gates = [g for v in config["gates"].values() if (g := build("gates", v)).artefact is Audio]
    entries = {k: v for k, v in config["song_scorers"].items() if v is not None}
    weights = {k: read_weight("song", k, v) for k, v in entries.items()}
    scorers = {k: build("scorers", v["scorer"]) for k, v in entries.items()}
    references = {k: s.reference_scores() for k, s in scorers.items()}
    noises = {k: s.noise for k, s in scorers.items()}

    def look(song: Audio) -> tuple[str | None, dict[str, float]]:
        failed = next((r for g in gates if (r := g.check([song])[0])), None)
        return failed, {k: float(s.score([song])[0]) if not failed else np.nan for k, s in scorers.items()}

    home = options.folder / "songs" / options.split
    rng = np.random.default_rng(0)
    trios = []
    for folder in sorted(p for p in home.iterdir() if p.is_dir())[: options.trios]:
        files = sorted(folder.glob("*.wav"))
        trios.append([media.load_audio(files[i]) for i in rng.choice(len(files), 3, replace=False)])
    honest = [[look(song) for song in trio] for trio in trios]
    refused = sum(f is not None for trio in honest for f, _ in trio)
    print(f"{len(trios)} trios of honest songs, {refused} of {3 * len(trios)} refused by a gate\n")
    print("| attack | refused by a gate | mean share of wins | won always |\n|---|---|---|---|")
    often = always = total = 0
    for kind in options.kinds.split(",") if options.kinds else KINDS:
        shares, caught = [], 0
        for k in range(options.each):
            failed, marks = look(spoil(kind, trios[k % len(trios)][0], k))
            caught += failed is not None
            wins = []
            for trio in honest:
                four = [*trio, (failed, marks)]
                if all(f for f, _ in four):
                    continue
                table = {n: np.array([m[n] for _, m in four]) for n in scorers}
                made = choose(
                    table, weights=weights, references=references, failed=[f for f, _ in four],
                    rule=str(config["selection"]), noise=noises,
                )  # fmt: skip
                wins.append(made.index == 3)
            shares.append(float(np.mean(wins)))
        often += sum(s > 0.25 for s in shares)
        always += sum(s == 1 for s in shares)
        total += len(shares)
        print(
            f"| {kind} | {caught} of {len(shares)} | {np.mean(shares):.2f} | {sum(s == 1 for s in shares)} |",
            flush=True,
        )
    print(f"\n{often} of {total} attacks win more often than chance, {always} always")


if __name__ == "__main__":
    main()
