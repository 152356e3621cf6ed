"""Four-on-the-floor > breakbeat > ambient drone, speech: what a listener says, and the scorer that was trained on listeners."""

import numpy as np
import pytest

from spectrogrand import Audio, build, load_audio

RATE, SECONDS = 22050, 30
TIME = np.arange(RATE * SECONDS) / RATE


def tiled(sound):
    times = -(-SECONDS * sound.rate // sound.samples.shape[1])
    return Audio(np.ascontiguousarray(np.tile(sound.samples, (1, times))[:, : SECONDS * sound.rate]), sound.rate)


def on_every_beat(kick, tempo):
    out = np.zeros(SECONDS * kick.rate, np.float32)
    one = kick.mono()
    for start in (np.arange(0, SECONDS, 60 / tempo) * kick.rate).astype(int):
        part = out[start : start + len(one)]
        part += one[: len(part)]
    return Audio(out[None], kick.rate)


def drone():
    rng = np.random.default_rng(1)
    notes = [
        np.sin(2 * np.pi * f * (1 + 0.002 * rng.standard_normal()) * TIME + rng.uniform(0, 6))
        * (1 + 0.4 * np.sin(2 * np.pi * 0.1 * rng.uniform(0.5, 1.5) * TIME + rng.uniform(0, 6)))
        for f in (110, 165, 220, 277, 330, 440)
    ]
    return Audio((0.08 * sum(notes))[None].astype(np.float32), RATE)


def speech():
    """Voiced syllables of irregular length in phrases with pauses: a glottal buzz through two moving formants."""
    from scipy.signal import lfilter

    rng = np.random.default_rng(0)
    out = np.zeros(len(TIME))
    at = 0
    while at < len(TIME) - RATE:
        for _ in range(rng.integers(4, 14)):
            count = int(RATE * rng.uniform(0.09, 0.3))
            pitch = 120 * 2 ** (rng.uniform(-0.3, 0.3) + np.linspace(0.1, -0.1, count))
            pitch *= 1 + 0.02 * np.cumsum(rng.standard_normal(count)) / np.sqrt(count)
            breath = 0.02 * rng.standard_normal(count)
            sound = (np.diff(np.cumsum(pitch) / RATE % 1, prepend=0) + breath) * np.hanning(count)
            for formant in (rng.uniform(300, 800), rng.uniform(900, 2300)):
                radius = np.exp(-np.pi * 90 / RATE)
                sound = lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * formant / RATE), radius**2], sound)
            part = out[at : at + count]
            part += (rng.uniform(0.3, 1) * sound / np.abs(sound).max())[: len(part)]
            at += int(count * rng.uniform(0.8, 1.1))
            hiss = int(RATE * rng.uniform(0.03, 0.12))  # the consonant between two vowels
            part = out[at : at + hiss]
            part += 0.15 * (np.hanning(hiss) * np.diff(rng.standard_normal(hiss + 1)))[: len(part)]
            at += hiss
        at += int(RATE * rng.uniform(0.2, 1.0))
    return Audio((0.3 * out / np.abs(out).max())[None].astype(np.float32), RATE)


@pytest.fixture(scope="module")
def rungs(shared):
    audio = shared / "data" / "audio"
    return {
        "four on the floor": [on_every_beat(load_audio(audio / "bd_haus.flac"), t) for t in (120, 128)]
        + [tiled(load_audio(audio / "808kick120bpm.mp3"))],
        "breakbeat": [tiled(load_audio(audio / "loop_breakbeat.flac"))],
        "drone": [drone()],
        "speech": [speech()],
    }


def test_the_tagger_knows_the_ladder(shared, rungs):
    scorer = build("scorers", {"name": "tag_danceability", "weights": str(shared / "models" / "music_tagger")})
    kick, loop, hum, talk = (scorer.score(rung) for rung in rungs.values())
    assert kick.min() > 2 * loop.max()
    # A drone above speech holds for recorded speech (docs/results/danceability.md); this buzz of formants is half an instrument.
    assert loop.min() > 2 * max(hum.max(), talk.max())


def test_the_published_formula_knows_its_pulse_but_not_its_end(rungs):
    """It hears no dance: a bar looped exactly beats a kick on every beat, syllables a drone (docs/results/danceability.md)."""
    scorer = build("scorers", "danceability")
    kick, loop, hum, talk = (scorer.score(rung) for rung in rungs.values())
    assert min(kick.min(), loop.min()) > 2 * max(hum.max(), talk.max())
    assert talk.min() > hum.max()
