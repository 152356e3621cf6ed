"""pipeline=music_visuals end to end on small settings: what it leaves, what it reuses, what it survives, what it refuses."""

import json
import struct
import zlib
from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import Audio, load_video, media
from spectrogrand.config import compose
from spectrogrand.errors import ConfigError, MediaError, NoCandidateLeft, UnknownName
from spectrogrand.pipelines._storyboard import load_artworks, write_board
from spectrogrand.pipelines.execute import execute
from spectrogrand.types import Image, frame_count

RATE = 22050
SMALL = [
    "pipeline=music_visuals",
    "song=file",
    "size=32",
    "images.size=32",
    "fps=10",
    "media.preset=ultrafast",
    "seed=1",
]


def beat(seconds=6.0, tempo=120, seed=0):
    """Kicks on every beat over a chord."""
    t = np.arange(int(seconds * RATE)) / RATE
    since = t % (60 / tempo)
    kick = 0.7 * np.exp(-since / 0.05) * np.sin(2 * np.pi * 60 * since)
    chord = sum(0.06 * np.sin(2 * np.pi * f * t) for f in (220, 261.6, 329.6))
    hiss = 0.2 * np.exp(-since / 0.01) * np.random.default_rng(seed).standard_normal(len(t))
    return Audio((kick + chord + hiss)[None].astype(np.float32), RATE)


def run(folder, sound, *words, **changes):
    """(run folder, record) of a run on a sound."""
    path = folder / "song.wav"
    media.save_audio(path, sound)
    config = compose([*SMALL, f"song.path={path}", f"output={folder}", *words]) | changes
    report = execute(config)
    return report.parent, json.loads((report.parent / "run.json").read_text())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("visuals")
    return folder, *run(folder, beat(24.0), "genre_hint=jazz", "synchronise=true")


def test_everything_promised_is_there(made):
    _, folder, record = made
    assert record["state"] == "finished" and (folder / "report.html").exists()
    assert sorted(p.name for p in (folder / "captioner").iterdir()) == ["0.txt", "1.txt"]
    assert sorted(p.name for p in (folder / "images").iterdir()) == ["0.png", "1.png", "2.png", "3.png"]
    video = load_video(folder / "music_visuals.mp4")
    assert (video.count, video.fps, video.size) == (240, 10, (32, 32))
    story = record["storyboard"]
    assert len(story) == 4 and story[0]["caption"] == story[2]["caption"] and story[0]["genre"] == "jazz"
    assert "abstract art" in story[0]["movement"] and "120 beats per minute" in story[0]["caption"]
    assert (folder / story[3]["file"]).exists()


def test_the_report_shows_the_storyboard_and_the_synchrony(made):
    _, folder, record = made
    page = (folder / "report.html").read_text("utf-8")
    assert "Storyboard" in page and "120 beats per minute" in page and "abstract art" in page
    assert "Keeping time" in page and "images/2.png" in page and "music_visuals.mp4" in page
    found = record["synchrony"]["music_visuals"]
    assert found["after"]["beat_f1"]["value"] > found["before"]["beat_f1"]["value"] - 0.05
    assert found["after"]["beat_f1"]["value"] > found["after"]["beat_f1"]["shuffled"] + 0.2


def test_the_last_frame_is_the_last_picture(made):
    _, folder, _ = made
    last = list(load_video(folder / "music_visuals.mp4"))[-1]
    assert np.abs(last.astype(int) - media.load_image(folder / "images/3.png").resized(32, 32).pixels).mean() < 12


def test_the_same_again_makes_nothing_and_two_stores_make_the_same(made, tmp_path):
    base, folder, record = made
    _, again = run(base, beat(24.0), "genre_hint=jazz", "synchronise=true")
    assert all(s["made"] == 0 for s in again["steps"] if s["slot"] not in ("song scores",))
    _, other = run(tmp_path, beat(24.0), "genre_hint=jazz")
    names = ["captioner/0.txt", *(f"images/{k}.png" for k in range(4))]
    assert [record["files"][n]["sha256"] for n in names] == [other["files"][n]["sha256"] for n in names]
    assert record["files"]["music_visuals.mp4"]["sha256"] != other["files"]["music_visuals.mp4"]["sha256"]


def test_another_morph_reuses_captions_and_pictures(made):
    base, _, _ = made
    _, record = run(base, beat(24.0), "genre_hint=jazz", "morph.turbulence=50")
    steps = {s["slot"]: s["made"] for s in record["steps"]}
    assert (steps["captioner"], steps["images"], steps["music_visuals video"]) == (0, 0, 1)


def test_ones_own_artworks_are_what_is_shown(tmp_path):
    art = np.zeros((40, 60, 3), np.uint8)
    art[:, 20:40] = 255
    for name in ("a b.png", "b.png"):
        media.save_image(tmp_path / name, Image(art))
    paths = [str(tmp_path / "a b.png"), str(tmp_path / "b.png")]
    folder, record = run(tmp_path, beat(3.0), artworks=paths)
    shown = media.load_image(folder / "images/0.png").pixels.astype(int)
    assert shown[8:24, 13:19].mean() > shown[8:24, :6].mean() + 15
    assert record["storyboard"][0]["genre"] is None
    assert (
        len(load_artworks("artworks", paths)) == 2
        and len(load_artworks("artworks", paths[0])) == 1
        and load_artworks("artworks", None) == ()
    )


@pytest.mark.parametrize("fps", ["24", "30000/1001", "1/2"])
def test_any_rate_ends_with_the_sound(fps, tmp_path):
    sound = beat(3.3)
    folder, _ = run(tmp_path, sound, f"fps={fps}")
    video = load_video(folder / "music_visuals.mp4")
    assert video.fps == Fraction(fps) and video.count == frame_count(sound.duration, Fraction(fps))


def test_minutes_are_read_stretch_by_stretch_and_end_with_the_sound(tmp_path):
    """The fast half of the hour in test_music_visuals_slow."""
    sound = beat(75.5)
    folder, record = run(tmp_path, sound, "fps=4", "caption_seconds=15")
    video = load_video(folder / "music_visuals.mp4")
    assert video.count == 302 and len(record["storyboard"]) == 5
    last = list(video)[-1]
    assert np.abs(last.astype(int) - media.load_image(folder / "images/4.png").resized(32, 32).pixels).mean() < 12


def speech():
    """Syllables: noise bands that come and go without a pulse."""
    rng = np.random.default_rng(3)
    t = np.arange(4 * RATE) / RATE
    gate = np.convolve(rng.random(len(t)) < 5 / RATE, np.hanning(3000), "same").clip(0, 1)
    pitch = np.sin(2 * np.pi * np.cumsum(120 + 30 * np.sin(3 * t)) / RATE)
    return Audio((0.4 * gate * np.sign(pitch) * rng.random(len(t)))[None].astype(np.float32), RATE)


def rubato():
    """Clicks whose gaps grow and shrink by a third."""
    out = np.zeros(6 * RATE, np.float32)
    at = 0.2
    while at < 5.8:
        out[int(at * RATE) : int(at * RATE) + 400] = np.hanning(400) * 0.8
        at += 0.5 + 0.17 * np.sin(at)
    return Audio(out[None], RATE)


@pytest.mark.parametrize("sound", [
    pytest.param(Audio(np.eye(1, 2 * RATE, RATE, dtype=np.float32) * 0.9, RATE), id="a single click"),
    pytest.param(speech(), id="speech"), pytest.param(rubato(), id="rubato"),
    pytest.param(Audio(beat(0.01).samples, RATE), id="10 ms"),
])  # fmt: skip
def test_odd_sound_still_becomes_a_video(sound, tmp_path):
    folder, record = run(tmp_path, sound, "synchronise=true")
    video = load_video(folder / "music_visuals.mp4")
    assert record["state"] == "finished" and video.count == frame_count(sound.duration, Fraction(10))


def test_silence_is_refused_in_one_line(tmp_path):
    with pytest.raises(NoCandidateLeft, match="silent") as caught:
        run(tmp_path, Audio(np.zeros((1, RATE), np.float32), RATE))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change, error, said", [
    ({"fps": "0"}, ConfigError, "fps"), ({"fps": -5}, ConfigError, "fps"), ({"fps": 1000}, ConfigError, "at most 120"),
    ({"fps": "fast"}, ConfigError, "fps"), ({"caption_seconds": 0}, ConfigError, "caption_seconds"),
    ({"caption_seconds": float("nan")}, ConfigError, "caption_seconds"), ({"pictures": 1}, ConfigError, "pictures"),
    ({"selection": "best"}, UnknownName, "no selection rule"),
    ({"smooth": 2}, ConfigError, "smooth"), ({"drive": "bass"}, UnknownName, "no drive 'bass'"),
    ({"mix": 1.5}, ConfigError, "mix"), ({"drive": "constant", "synchronise": True}, ConfigError, "stands still between"),
    ({"synchronise": "yes"}, ConfigError, "synchronise"), ({"size": 0}, ConfigError, "size"),
    ({"morph": None}, ConfigError, "slot 'morph'"), ({"morph": {"name": "motion"}}, ConfigError, "morph=motion draws from Scene"),
    ({"images": {"name": "procedural_cover"}}, ConfigError, "the slot gives Keyframe"),
    ({"captioner": {"name": "blip"}}, ConfigError, "the slot gives Audio"),
    ({"images": {"name": "panted"}}, UnknownName, "painted"),
    ({"genre_hint": "polka"}, ConfigError, "polka has no art movement"), ({"movements": {"pop": 3}}, ConfigError, "movements"),
    ({"artworks": 3}, ConfigError, "artworks"), ({"artworks": ["nothing.png"]}, MediaError, "nothing.png"),
])  # fmt: skip
def test_wrong_settings_are_one_line(change, error, said, tmp_path):
    with pytest.raises(error, match=said) as caught:
        run(tmp_path, beat(2.0), **change)
    assert "\n" not in str(caught.value)


def test_an_artwork_of_20000_by_20000_pixels_is_refused_unread(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    (tmp_path / "huge.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )
    with pytest.raises(MediaError, match="huge.png"):
        load_artworks("artworks", str(tmp_path / "huge.png"))


def test_an_artwork_of_one_pixel_is_fine(tmp_path):
    media.save_image(tmp_path / "dot.png", Image(np.full((1, 1, 3), 90, np.uint8)))
    _, record = run(tmp_path, beat(2.0), artworks=str(tmp_path / "dot.png"))
    assert record["state"] == "finished"


def test_a_keyframe_per_caption_and_again_where_they_are_few():
    movements = {"jazz": "abstract art", "folk": "folk art"}
    frames = write_board(["Jazz trio.", "A folk song, almost jazz.", "Silence."], movements, (), None, 5)
    assert [f.genre for f in frames] == ["jazz", "jazz", None, "jazz", "jazz"]
    assert [f.movement for f in frames[:3]] == ["abstract art", "abstract art", None]
    assert write_board(["Silence."], movements, (), "folk", 1)[0].movement == "folk art"
    assert write_board(["Silence."], movements, (), None, 1, "the sea")[0].text == "the sea. Silence."


def test_the_motion_video_can_be_synchronised_too(tmp_path):
    path = tmp_path / "song.wav"
    media.save_audio(path, beat(4.0))
    words = ["song=file", f"song.path={path}", f"output={tmp_path}", "size=32", "fps=10", "covers=1", "cover.size=64"]
    report = execute(compose([*words, "videos=[motion]", "synchronise=true", "media.preset=ultrafast"]))
    record = json.loads((report.parent / "run.json").read_text())
    assert set(record["synchrony"]["motion"]) == {"before", "after"} and record["videos"] == {"motion": "motion.mp4"}
    with pytest.raises(ConfigError, match="synchronise"):
        execute(compose([*words, "videos=[motion]"]) | {"synchronise": 1})
