"""Readers of anybody's files under mutation: every outcome is a value or one of our errors, in time and in one line.

The short form runs with the suite; `make faults` sets FAULTS_ROUNDS and runs the long one.
"""

import csv
import os
import pickle
import random
import sys
import time
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectrogrand.checks import check_frame_rate, rational
from spectrogrand.config import words_for_hydra
from spectrogrand.errors import SpectrograndError
from spectrogrand.files import parse_json
from spectrogrand.lyrics.arrays import mapped
from spectrogrand.lyrics.reading import Table
from spectrogrand.media import load_audio, load_image, load_video, save_audio, save_image, save_video
from spectrogrand.models.magenta.tflite import read as read_tflite
from spectrogrand.runs.folders import slug
from spectrogrand.types import Audio, Frames, Image, Topic

ROUNDS = int(os.environ.get("FAULTS_ROUNDS", "0"))
"""Rounds of the readers of text and headers; media readers have one for each fifty."""
LONGEST = 20.0


def harmed(data, rng):
    """A few bytes changed, a part cut, doubled, zeroed, or strange numbers written over it."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at, size = rng.randrange(len(data) + 1), rng.choice((1, 2, 4, 8, 64, 512))
        how = rng.randrange(6)
        if how == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif how == 1:
            del data[at : at + size]
        elif how == 2:
            data[at:at] = data[at : at + size]
        elif how == 3:
            data[at : at + size] = bytes(size)
        elif how == 4:
            data[at : at + 4] = rng.choice(
                (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80")
            )
        else:
            data[at : at + size] = rng.randbytes(size)
    return bytes(data[: rng.randrange(len(data) + 1)] if rng.random() < 0.1 else data)


def fuzz(read, seeds, path, rounds, seed=0):
    """(values, errors of ours); anything else, or anything slow, fails."""
    rng, counts = random.Random(seed), [0, 0]
    for k in range(rounds):
        path.write_bytes(harmed(rng.choice(seeds), rng))
        begun = time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read(path)
            counts[0] += 1
        except SpectrograndError as error:
            counts[1] += 1
            assert "\n" not in str(error), f"round {k}: {error}"
        assert time.process_time() - begun < LONGEST, f"round {k} of seed {seed} is slow"
    return counts


def decoded(path):
    frames = load_video(path)
    for k, _ in enumerate(frames):
        if k > 20:
            break


@pytest.fixture(scope="module")
def seeds(tmp_path_factory, shared):
    """Small whole files of each kind."""
    home = tmp_path_factory.mktemp("seeds")
    tone = Audio((0.3 * np.sin(np.arange(4000) / 9))[None].astype(np.float32), 8000)
    for name in ("a.wav", "a.flac"):
        save_audio(home / name, tone)
    for name in ("a.png", "a.jpg"):
        save_image(home / name, Image(np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)))
    frames = Frames(lambda: (np.full((32, 32, 3), 20 * k, np.uint8) for k in range(8)), (32, 32), 8, rational(8))
    save_video(home / "a.mp4", frames, Audio(np.tile(tone.samples, 2), 8000))
    with open(home / "a.csv", "w", newline="") as file:
        csv.writer(file).writerows(
            [("title", "artist", "lyrics"), ("a", "b", 'one "x"\ntwo'), ("c", "d; e", "three\n\nfour")]
        )
    from spectrogrand.lyrics.arrays import write

    write(home / "a.safetensors", {"a": (np.dtype(np.float32), (2, 2), [np.ones((2, 2), np.float32)])})
    (home / "a.json").write_text('{"choices": {"song": [1, 2.5e3, null, "\\u00e9"]}}')
    plain = {"a": [1, 2.5, "x", (1, 2), {3}], "n": np.arange(6.0).reshape(2, 3)}
    (home / "a.pkl").write_bytes(pickle.dumps(plain, 2))
    (home / "a.tflite").write_bytes(
        (shared / "models/magenta/style_predict_quantized_256.tflite").read_bytes()[-60_000:]
    )
    return {p.name: p.read_bytes() for p in home.iterdir()}


def convert(path):
    from spectrogrand.weights.convert import convert as convert_

    convert_(path, path.with_suffix(".safetensors"))


TEXT = {
    "table": (lambda p: list(Table(p)), ["a.csv"], 150), "arrays": (mapped, ["a.safetensors"], 200),
    "json": (lambda p: parse_json(p.read_bytes()), ["a.json"], 300), "pickle": (convert, ["a.pkl"], 150),
    "tflite": (read_tflite, ["a.tflite"], 20),
}  # fmt: skip
MEDIA = {
    "sound": (load_audio, ["a.wav", "a.flac", "a.mp4"], 40), "picture": (load_image, ["a.png", "a.jpg"], 40),
    "video": (decoded, ["a.mp4"], 25),
}  # fmt: skip


@pytest.mark.parametrize("name", [*TEXT, *MEDIA])
def test_readers_give_a_value_or_one_of_our_errors(name, seeds, tmp_path):
    if name == "pickle":
        pytest.importorskip("torch")
    read, files, rounds = {**TEXT, **MEDIA}[name]
    values, errors = fuzz(read, [seeds[f] for f in files], tmp_path / f"x{os.path.splitext(files[0])[1]}", rounds)
    assert values + errors == rounds and errors > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [*TEXT, *MEDIA])
def test_readers_give_a_value_or_one_of_our_errors_many_times(name, seeds, tmp_path):
    read, files, _ = {**TEXT, **MEDIA}[name]
    rounds = (ROUNDS or 5000) if name in TEXT else (ROUNDS or 5000) // 50
    found = fuzz(read, [seeds[f] for f in files], tmp_path / f"x{os.path.splitext(files[0])[1]}", rounds, seed=1)
    sys.stdout.write(f"{name}: {rounds} rounds, {found[0]} values, {found[1]} errors of ours\n")


EXAMPLES = settings(max_examples=max(60, ROUNDS // 100), deadline=None, suppress_health_check=list(HealthCheck))


@given(st.text(max_size=80))
@EXAMPLES
def test_any_text_is_a_topic_a_name_and_a_number_or_told(text):
    name = slug(text)
    assert name and "/" not in name and name not in (".", "..")
    for read in (Topic, rational, lambda t: check_frame_rate("fps", t), parse_json):
        try:
            read(text)
        except SpectrograndError as error:
            assert len(str(error)) < 1000


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00\n\r"), max_size=40))
@EXAMPLES
def test_any_text_after_an_equals_sign_means_itself(text):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    (word,) = words_for_hydra([f"topic={text}"])
    value = OverridesParser.create().parse_override(word).value()
    assert text in ("null", "~") or str(getattr(value, "text", value)) == text or "${" in text
