"""A fingerprint finds a song again when it is coded, louder, faster, transposed; and does not find another song."""

import io

import numpy as np
import pytest
import soundfile
import soxr

from spectrogrand import Audio, build
from spectrogrand.audio import fingerprint
from spectrogrand.audio.fingerprint import _agreement, match_prints, take_print
from spectrogrand.errors import InvalidValue

RATE = 22050


def tune(seed, seconds=12, up=0.0):
    """A random melody over a random bass, plucked, 0.3 s a note, `up` semitones higher."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(0.3 * RATE)) / RATE
    notes = []
    for _ in range(int(seconds / 0.3)):
        bass, lead = 110 * 2 ** ((rng.integers(0, 12) + up) / 12), 440 * 2 ** ((rng.integers(0, 24) + up) / 12)
        x = sum(np.sin(2 * np.pi * k * f * t) / k for f in (bass, lead) for k in (1, 2, 3))
        notes.append(x * np.exp(-t / rng.uniform(0.05, 0.4)))
    return Audio((0.1 * np.concatenate(notes)).astype(np.float32)[None], RATE)


def mp3(song):
    data = io.BytesIO()
    soundfile.write(data, song.samples.T, song.rate, format="MP3", compression_level=0.9)
    data.seek(0)
    return Audio(soundfile.read(data, dtype="float32", always_2d=True)[0].T.copy(), song.rate)


def faster(song, factor):
    return Audio(np.ascontiguousarray(soxr.resample(song.samples.T, song.rate * factor, song.rate).T), song.rate)


WEAR = {
    "mp3": lambda: mp3(tune(3)), "5 % faster": lambda: faster(tune(3), 1.05), "5 % slower": lambda: faster(tune(3), 0.95),
    "2 up": lambda: tune(3, up=2), "2 down": lambda: tune(3, up=-2), "half a semitone up": lambda: tune(3, up=0.5),
    "cut and quiet": lambda: Audio(0.2 * tune(3).samples[:, 1234:], RATE), "all": lambda: mp3(faster(tune(3, up=1), 1.04)),
}  # fmt: skip


@pytest.fixture(scope="module")
def prints():
    return np.stack([take_print(tune(seed)) for seed in range(12)])


@pytest.mark.parametrize("name", WEAR)
def test_a_worn_copy_agrees_with_itself_alone(name, prints):
    agreed = match_prints(WEAR[name](), prints)
    assert agreed.argmax() == 3 and agreed[3] > 0.32 and np.delete(agreed, 3).max() < 0.26


def test_new_tunes_are_found_nowhere(prints):
    assert max(match_prints(tune(seed), prints).max() for seed in (100, 101, 102)) < 0.26


def test_silence_agrees_with_nothing_and_other_shapes_are_refused(prints):
    assert not match_prints(Audio(np.zeros((1, RATE), np.float32), RATE), prints).any()
    with pytest.raises(InvalidValue, match=r"prints are uint8 \(print, 50, 8\), got uint8 \(12, 50, 4\)"):
        match_prints(tune(0), prints[:, :, :4])


def test_the_gate_reads_prints_beside_the_embeddings(tmp_path, prints):
    from safetensors.numpy import save_file

    far = np.zeros((12, 124), np.float32)
    far[:, 0] = -1  # no cosine finds these
    save_file({"own": far, "prints.own": prints}, tmp_path / "r.safetensors")
    gate = build("gates", {"name": "near_copy", "references": str(tmp_path / "r.safetensors")})
    found, new = gate.check([faster(tune(7), 1.05), tune(200)])
    assert found.startswith("is a near copy of reference song 7 of own (fingerprints agree by 0.") and new is None
    assert gate.check([Audio(tune(7).samples[:, 5 * RATE : 8 * RATE], RATE)])[0] is not None  # three seconds of it
    deaf = build("gates", {"name": "near_copy", "references": str(tmp_path / "r.safetensors"), "agreement": 1.0})
    assert deaf.check([faster(tune(7), 1.05)]) == [None]


@pytest.mark.parametrize("starts", [975, 70, 21, 16])
def test_agreement_is_the_best_of_all_starts_counted_one_by_one(starts, monkeypatch):
    monkeypatch.setattr(fingerprint, "_STARTS", starts)
    rng = np.random.default_rng(5)
    signs = rng.choice([-1, 1], (3, 70, 64)).astype(np.float32)
    known = rng.integers(0, 256, (4, 50, 8)).astype(np.uint8)
    bits = np.unpackbits(known, axis=2).astype(np.float32) * 2 - 1
    want = np.zeros(4)
    for variant in signs:
        for start in range(-49, 70):
            here = variant[max(0, start) : start + 50]
            for k, print_ in enumerate(bits):
                there = print_[max(0, -start) : max(0, -start) + len(here)]
                want[k] = max(want[k], float((here * there).sum()) / (50 * 64))
    assert np.abs(_agreement(signs, known.tobytes()) - want).max() < 1e-5
