"""The user's own song and cover as generators."""

import hashlib

import numpy as np
import pytest

from spectrogrand import build
from spectrogrand.errors import ConfigError, InvalidValue, MediaError
from spectrogrand.media import load_audio, load_image, save_audio, save_image
from spectrogrand.types import Audio, CoverBrief, Image, Topic

TOPIC = Topic("a futuristic spaceship")
BRIEF = CoverBrief("a futuristic spaceship", "bass", "black", "explodes")


def ramp(length: int) -> Audio:
    return Audio(np.linspace(-0.5, 0.5, length, dtype=np.float32)[None], 8000)


def test_song_is_the_same_for_every_seed_and_decoded_once(tmp_path, monkeypatch):
    path = tmp_path / "My Song (Mix), Pt 2.wav"
    save_audio(path, ramp(8000))
    from spectrogrand.plugins.generators.songs import song_file

    calls = []
    monkeypatch.setattr(song_file, "load_audio", lambda p: calls.append(p) or load_audio(p))
    songs = build("generators", {"name": "song_file", "path": str(path)}).generate([TOPIC] * 3, [0, 1, 2])
    assert len(songs) == 3 and songs[0] is songs[1] is songs[2] and len(calls) == 1
    np.testing.assert_array_equal(songs[0].samples, load_audio(path).samples)
    assert build("generators", {"name": "song_file", "path": str(path)}).generate([], []) == []


@pytest.mark.parametrize("name", ["song_file", "cover_file"])
def test_identity_is_the_hash_of_the_file(tmp_path, monkeypatch, name):
    (tmp_path / "a.bin").write_bytes(b"one")
    monkeypatch.setenv("HOME", str(tmp_path))
    part = build("generators", {"name": name, "path": "~/a.bin"})
    assert part.identity() == {"sha256": hashlib.sha256(b"one").hexdigest()}
    (tmp_path / "a.bin").write_bytes(b"two")
    assert part.identity() == {"sha256": hashlib.sha256(b"two").hexdigest()}


@pytest.mark.parametrize(("name", "source"), [("song_file", TOPIC), ("cover_file", BRIEF)])
def test_missing_file_names_its_neighbour(tmp_path, name, source):
    (tmp_path / "artwork.png").write_bytes(b"x")
    part = build("generators", {"name": name, "path": str(tmp_path / "artwrk.png")})
    for call in (part.identity, lambda: part.generate([source], [0])):
        with pytest.raises(MediaError, match="did you mean '.*/artwork.png'"):
            call()


@pytest.mark.parametrize("name", ["song_file", "cover_file"])
def test_path_is_required(name):
    with pytest.raises(ConfigError, match="needs path: set path="):
        build("generators", {"name": name, "path": None})


def test_cover_is_cut_square_around_its_middle_and_scaled(tmp_path):
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, 32:96] = (10, 200, 30)
    save_image(tmp_path / "a.png", Image(pixels))
    covers = build("generators", {"name": "cover_file", "path": str(tmp_path / "a.png"), "size": 32}).generate(
        [BRIEF] * 2, [0, 1]
    )
    assert covers[0] is covers[1] and covers[0].size == (32, 32)
    assert np.abs(covers[0].pixels[:, 2:-2].astype(int) - (10, 200, 30)).max() <= 1
    as_it_is = build("generators", {"name": "cover_file", "path": str(tmp_path / "a.png"), "size": None})
    np.testing.assert_array_equal(as_it_is.generate([BRIEF], [0])[0].pixels, pixels)


@pytest.mark.parametrize("size", [0, 15, 8193])
def test_cover_size_has_bounds(size):
    with pytest.raises(InvalidValue, match="16 to 8192"):
        build("generators", {"name": "cover_file", "path": "a.png", "size": size})


def test_published_song_and_cover_come_out_of_the_video(shared):
    path = str(shared / "data/demo/spaceships_static.mp4")
    song = build("generators", {"name": "song_file", "path": path}).generate([TOPIC], [0])[0]
    cover = build("generators", {"name": "cover_file", "path": path}).generate([BRIEF], [0])[0]
    assert song.channels == 2 and abs(song.duration - 10) < 0.01
    np.testing.assert_array_equal(cover.pixels, load_image(path).pixels)


@pytest.mark.parametrize("name", ["song_file", "cover_file"])
def test_folder_of_real_covers_and_wrong_kinds(shared, tmp_path, name):
    """A picture as song and a sound as cover are told by their contents."""
    picture = next(iter(sorted((shared / "data/covers_sdxl/val").iterdir())))
    sound = shared / "data/audio/loop_mika.flac"
    wrong, source, match = {
        "song_file": (picture, TOPIC, "it is a JPEG picture, expected wav, flac"),
        "cover_file": (sound, BRIEF, "is a sound, expected a picture"),
    }[name]
    with pytest.raises(MediaError, match=match):
        build("generators", {"name": name, "path": str(wrong)}).generate([source], [0])
    if name == "cover_file":
        made = build("generators", {"name": name, "path": str(picture)}).generate([BRIEF], [0])[0]
        assert made.size == (1024, 1024)
