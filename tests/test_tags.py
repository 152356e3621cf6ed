"""Tags: read from songs of every kind, written into videos without touching a picture; parts of songs."""

import json
from types import SimpleNamespace

import av
import numpy as np
import pytest
import toys

from spectrogrand import Audio, Image, Topic, build, load_image, load_video, media
from spectrogrand.audio.emotion import CIRCUMPLEX
from spectrogrand.cli import as_settings
from spectrogrand.config import compose
from spectrogrand.errors import InvalidValue, MediaError
from spectrogrand.pipelines.album_cover import Settings as AlbumSettings
from spectrogrand.pipelines.audiovisual import Settings
from spectrogrand.pipelines.execute import execute

RATES = {"libopus": 48000}
TOLD = {"title": "Rain over Tokyo", "artist": "The Cats", "album": "Wet", "lyrics": "first line\nsecond line"}


def song(path, codec, tags, art=None):
    """A second of a tone with tags, encoded by FFmpeg; `art` is embedded."""
    with av.open(str(path), "w") as out:
        out.metadata.update(tags)
        stream = out.add_stream(codec, rate=RATES.get(codec, 44100))
        stream.layout = "mono"
        if art is not None:
            still = out.add_stream("mjpeg", rate=1)
            still.width, still.height, still.pix_fmt = art.shape[1], art.shape[0], "yuvj444p"
            still.disposition = av.stream.Disposition.attached_pic
            frame = av.VideoFrame.from_ndarray(art, "rgb24").reformat(format="yuvj444p")
            frame.pts = 0
            out.mux([*still.encode(frame), *still.encode(None)])
        tone = (0.3 * np.sin(np.arange(44100) * 0.06)).astype(np.float32)[None]
        for k in range(0, 44100, 1024):
            part = tone[:, k : k + 1024]
            if codec in ("flac", "libopus"):
                frame = av.AudioFrame.from_ndarray((part * 32767).astype(np.int16), "s16", "mono")
            else:
                frame = av.AudioFrame.from_ndarray(part, "fltp", "mono")
            frame.rate, frame.pts = RATES.get(codec, 44100), k
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    "name, codec", [("a.mp3", "libmp3lame"), ("a.flac", "flac"), ("a.m4a", "aac"), ("a.ogg", "libopus")]
)
def test_tags_of_every_kind_of_file_are_read(tmp_path, name, codec):
    found = media.read_tags(song(tmp_path / name, codec, TOLD))
    assert (found.title, found.artist, found.album, found.artwork) == ("Rain over Tokyo", "The Cats", "Wet", False)
    assert found.lyrics.split("\n")[0].startswith("first line")


def test_a_picture_in_a_flac_is_read(tmp_path):
    path = song(tmp_path / "a.flac", "flac", TOLD, np.full((48, 48, 3), (40, 40, 200), np.uint8))
    assert media.read_tags(path).artwork
    assert np.abs(load_image(path).pixels.reshape(-1, 3).mean(0) - (40, 40, 200)).max() < 12
    with pytest.raises(MediaError, match="is a sound"):
        load_image(song(tmp_path / "b.flac", "flac", TOLD))


def test_a_song_brings_title_artist_lyrics_and_cover(tmp_path):
    art = np.full((48, 48, 3), (200, 40, 40), np.uint8)
    path = song(tmp_path / "track01.mp3", "libmp3lame", TOLD, art)
    assert as_settings([f"song.path={path}"])[0] == "cover=artwork"
    config = compose(as_settings([f"song.path={path}"]))
    assert config["cover"]["path"] == str(path)
    assert np.abs(load_image(path).pixels.reshape(-1, 3).mean(0) - (200, 40, 40)).max() < 12
    settings = Settings.read(config)
    assert settings.subject == "Rain over Tokyo"
    assert settings.describe() == {"title": "Rain over Tokyo", "artist": "The Cats", "album": "Wet"}
    album = AlbumSettings.read(compose(["pipeline=album_cover", f"song.path={path}", "prompt=lyrics"]))
    assert album.subject == "Wet" and album.lyrics.startswith("first line")
    assert "cover=artwork" not in as_settings([f"song.path={path}", "cover=procedural_cover"])
    assert "cover=artwork" not in as_settings(["song.path=nowhere.mp3"])


def test_a_cover_is_about_the_title_or_the_sound_and_never_about_a_files_name(tmp_path):
    t = np.arange(8 * 22050) / 22050
    sound = SimpleNamespace(value=Audio((0.3 * np.sin(2 * np.pi * 220 * t))[None].astype(np.float32), 22050))
    for name, told, about in (
        ("final_mix_v3.mp3", {}, None), ("01 Track 7.mp3", {"title": "final_mix_v3"}, None),
        ("final_mix_v3.mp3", {"title": "Rain over Tokyo (Extended Mix) feat. Somebody"}, "Rain over Tokyo"),
    ):  # fmt: skip
        path = song(tmp_path / name, "libmp3lame", told)
        found = Settings.read(compose(as_settings([f"song.path={path}"]))).about(sound)
        painted = AlbumSettings.read(compose(["pipeline=album_cover", f"song.path={path}"])).painted(("calm", "serene"))
        if about:
            assert found == painted == about
        else:
            assert (
                painted == "calm, serene"
                and set(found.split(", ")) <= CIRCUMPLEX.keys()
                and len(found.split(", ")) == 3
            )
    given = compose(as_settings([f"song.path={path}", "topic=a fox"]))
    assert Settings.read(given).about(sound) == "a fox"


def test_hostile_tags_are_short_text(tmp_path):
    tags = {"title": "x" * 10_000 + "\x07", "artist": "a\x1b[31mb\n\nc", "album": "   "}
    found = media.read_tags(song(tmp_path / "a.mp3", "libmp3lame", tags))
    assert found.title == "x" * 200 and found.artist == "a [31mb c" and found.album == ""
    assert Topic(found.title)
    (tmp_path / "b.mp3").write_bytes(b"no sound at all, but long enough to be looked at" * 9)
    with pytest.raises(MediaError):
        media.read_tags(tmp_path / "b.mp3")


def test_finished_videos_say_what_they_are(tmp_path):
    report = execute(
        toys.config(tmp_path, topic="rain & <b>cats</b>", videos=["motion"]), ["topic=rain", f"output={tmp_path}"]
    )
    record = json.loads((report.parent / "run.json").read_text())
    path = report.parent / "motion.mp4"
    with av.open(str(path)) as video:
        told = dict(video.metadata)
        assert [s.type for s in video.streams] == ["video", "audio", "video"], "the last one is the thumbnail"
    assert told["title"] == "rain & <b>cats</b>" and told["comment"].endswith("spectrogrand run topic=rain")
    assert str(tmp_path) not in str(told)
    assert record["files"]["motion.mp4"]["bytes"] == path.stat().st_size


def test_tagging_changes_no_picture_and_no_length(tmp_path):
    pixels = [np.full((32, 48, 3), 20 * k, np.uint8) for k in range(10)]
    from fractions import Fraction

    from spectrogrand import Frames, load_audio

    frames = Frames(lambda: pixels, (32, 48), 10, Fraction(30000, 1001))
    sound = Audio(np.zeros((1, int(float(frames.duration) * 44100)), np.float32), 44100)
    path = tmp_path / "v.mp4"
    media.save_video(path, frames, sound)
    before, heard = list(load_video(path)), load_audio(path)
    with av.open(str(path)) as video:
        length = video.duration
    media.write_tags(path, {"title": "t" * 10_000, "artist": ""}, Image(np.zeros((16, 16, 3), np.uint8)))
    after = load_video(path)
    assert after.fps == Fraction(30000, 1001) and all((a == b).all() for a, b in zip(before, after, strict=True))
    assert np.array_equal(load_audio(path).samples, heard.samples)
    with av.open(str(path)) as video:
        assert video.duration == length and len(video.metadata["title"]) == 2000 and "artist" not in video.metadata


class TestParts:
    @pytest.fixture
    def path(self, tmp_path):
        media.save_audio(tmp_path / "ramp.wav", Audio(np.linspace(-0.5, 0.5, 8000, dtype=np.float32)[None], 8000))
        return str(tmp_path / "ramp.wav")

    @staticmethod
    def read(path, **settings):
        return build("generators", {"name": "song_file", "path": path, **settings}).generate([Topic("x")], [0])[0]

    def test_a_part_is_cut_out(self, path):
        whole = self.read(path).samples[0]
        part = self.read(path, start=0.25, end="0:00.75")
        assert part.samples.shape == (1, 4000)
        middle = whole[2000:6000]
        assert np.allclose(part.samples[0] - part.samples[0].mean(), middle - middle.mean(), atol=1e-3)

    @pytest.mark.parametrize(
        "settings, text",
        [
            ({"start": 5}, "lasts 1.0 s"),
            ({"start": 2, "end": 1}, "ends after"),
            ({"start": "x"}, "got 'x'"),
            ({"end": -1}, "got -1"),
        ],
    )  # fmt: skip
    def test_parts_that_cannot_be(self, path, settings, text):
        with pytest.raises(InvalidValue, match=text):
            self.read(path, **settings)

    def test_an_end_beyond_the_song_is_its_end(self, path):
        with pytest.warns(UserWarning, match="beyond"):
            assert self.read(path, end=99).samples.shape == (1, 8000)
