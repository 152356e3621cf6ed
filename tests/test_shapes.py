"""Every pipeline's videos in every shape, and the cover's colours in the spectrogram."""

import json

import numpy as np
import pytest
import toys

from spectrogrand import Audio, Image, load_image, load_video, media
from spectrogrand.config import compose
from spectrogrand.errors import ConfigError
from spectrogrand.image.colour import oklab
from spectrogrand.image.shape import fit_picture
from spectrogrand.pipelines._briefs import write_briefs
from spectrogrand.pipelines._latent import Settings as LatentSettings
from spectrogrand.pipelines.audiovisual import SLOTS, Settings
from spectrogrand.pipelines.execute import execute
from spectrogrand.registry import build
from spectrogrand.runs.run import Run
from spectrogrand.types import CoverBrief, Topic

RATE = 22050
PORTRAIT = (56, 32)
"""Rows and columns of 9:16 at size=32: 56.9 is rounded to the nearest even number."""


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    t = np.arange(2 * RATE) / RATE
    path = tmp_path_factory.mktemp("song") / "short.wav"
    beat = np.exp(-(t % 0.5) / 0.04) * np.sin(2 * np.pi * 55 * t)
    media.save_audio(path, Audio((0.5 * beat + 0.2 * np.sin(2 * np.pi * 330 * t))[None].astype(np.float32), RATE))
    return path


def run(words, **values):
    report = execute(compose(words, values))
    return report.parent, json.loads((report.parent / "run.json").read_text())


def sizes(folder, record):
    return {name: load_video(folder / file).size for name, file in record["videos"].items()}


def test_all_videos_of_the_main_pipeline_are_upright_and_the_cover_is_square(tmp_path, song):
    folder, record = run(
        ["song=file", f"song.path={song}", "topic=the sea", "covers=1", "cover.size=128", "shape=9:16", "size=32", "fps=6",
         f"output={tmp_path}"]
    )  # fmt: skip
    assert sizes(folder, record) == dict.fromkeys(("static", "dynamic_content", "dynamic_style", "motion"), PORTRAIT)
    assert load_image(folder / "cover.png").size == (128, 128)


def test_a_painted_cover_is_painted_anew_in_the_shape_of_the_videos(tmp_path):
    """Nothing is cut off: what the videos show is the brief and the seed of the cover at the frame's own sides."""
    words = compose(["topic=x"])["words"]
    s = Settings(topic="a lighthouse", shape="9:16", size=32, words=words, spectrogram={})
    config = {"output": str(tmp_path), "seed": 3, "cover": {"name": "procedural_cover", "size": 64}}
    first = Run(config, "a lighthouse", SLOTS)
    cover = first.best("cover", write_briefs(Topic("a lighthouse"), "future", words, 2))
    tall = build("generators", {"name": "procedural_cover", "width": 64, "height": 112})
    expected = tall.generate([CoverBrief(**cover.brief)], [cover.seed])[0].pixels
    assert cover.value.size == (64, 64)
    np.testing.assert_array_equal(s.shape_cover(first, cover).value.pixels, expected)
    square = Settings(topic="a lighthouse", size=32, words=words, spectrogram={})
    assert square.shape_cover(first, cover) is cover
    other = Run(config | {"kept": {"cover": str(first.folder)}, "cover": None}, "a lighthouse", SLOTS)
    kept = other.best("cover", [])
    assert s.shape_cover(other, kept) is kept, "nobody is there who could paint it again"


@pytest.mark.parametrize(
    "words, video",
    [
        (["pipeline=latent_visualizer", "topic=the sea"], "visualizer"),
        (["pipeline=music_visuals", "images.size=32", "pictures=2"], "music_visuals"),
        (["pipeline=music_visuals", "images.size=32", "pictures=2", "synchronise=true"], "music_visuals"),
    ],
)
def test_other_pipelines_follow(tmp_path, song, words, video):
    words = [*words, "song=file", f"song.path={song}", "shape=9:16", "size=32", "fps=6", f"output={tmp_path}"]
    assert sizes(*run(words)) == {video: PORTRAIT}


def test_pixels_stand_alone_and_odd_sizes_become_even(tmp_path):
    settings = {"videos": ["static", "motion"], "songs": 1, "covers": 1, "size": 33}
    for shape, size in (("80x46", (46, 80)), ("1:1", (32, 32)), ("4:5", (40, 32))):
        report = execute(toys.config(tmp_path, shape=shape, **settings))
        record = json.loads((report.parent / "run.json").read_text())
        assert set(sizes(report.parent, record).values()) == {size}, shape


@pytest.mark.parametrize("shape", ["1:100", "641x360", "portrait", "", "0:9", "16:9:4", "99999x4"])
def test_bad_shapes_are_one_line(tmp_path, shape):
    with pytest.raises(ConfigError, match="got|even sides") as caught:
        execute(toys.config(tmp_path, shape=shape))
    assert "\n" not in str(caught.value)


def test_shapes_on_the_command_line_mean_themselves():
    assert [compose([f"shape={s}"])["shape"] for s in ("16:9", "1:1", "1920x1080")] == ["16:9", "1:1", "1920x1080"]


def test_plug_ins_are_told_their_size_unless_they_have_one():
    def motion(*words):
        config = compose([*words, "topic=x", "shape=16:9"])
        return Settings.read(config).fill(config)["motion"]

    assert motion("size=64")["size"] == [64, 114]
    assert motion("size=64", "motion.size=48")["size"] == 48
    model = motion("motion=svd")
    assert (model["width"], model["height"]) == (1024, 576)
    upright = compose(["topic=x", "shape=9:16", "motion=svd"])
    model = Settings.read(upright).fill(upright)["motion"]
    assert (model["width"], model["height"]) == (576, 1024)
    square = compose(["topic=x", "motion=svd"])
    assert Settings.read(square).fill(square)["motion"] == square["motion"], "published sides stay"
    walk = compose(["pipeline=latent_visualizer", "topic=x", "walk=biggan", "shape=16:9", "size=64"])
    assert LatentSettings.read(walk).fill(walk)["walk"]["size"] == [64, 114]


def test_a_picture_is_cut_about_what_it_shows():
    pixels = np.full((60, 60, 3), 20, np.uint8)
    pixels[40:52, 10:22] = (240, 60, 40)
    cut = fit_picture(Image(pixels), (40, 20)).pixels
    red = (cut[..., 0] > 150).mean()
    middle = Image(pixels).resized(40, 20).pixels
    assert red > 1.5 * (middle[..., 0] > 150).mean() and red > 0.05


def test_art_smaller_than_the_video_is_enlarged():
    assert fit_picture(Image(np.full((10, 10, 3), 9, np.uint8)), (180, 320)).pixels.mean() == 9


class TestColours:
    @staticmethod
    def hue(folder):
        """The angle of the video's mean chroma vector in OKLab, in degrees."""
        lab = np.concatenate([oklab(f).reshape(-1, 3) for f in load_video(folder / "dynamic_content.mp4")])
        return np.degrees(np.arctan2(*lab[:, [2, 1]].mean(0)))

    @pytest.mark.parametrize("colour", [(20, 120, 220), (40, 170, 60), (220, 130, 30)])
    def test_the_content_video_is_in_the_cover_s_colours(self, tmp_path, song, colour):
        y, x = np.mgrid[0:96, 0:96]
        shape = (np.hypot(y - 50, x - 40) < 25)[..., None]
        art = np.where(shape, colour, np.array(colour) // 4).astype(np.uint8)
        media.save_image(tmp_path / "art.png", Image(art))
        folder, _ = run(
            ["song=file", f"song.path={song}", "cover=file", f"cover.path={tmp_path / 'art.png'}", "size=64", "fps=6",
             "videos=[dynamic_content]", f"output={tmp_path}"]
        )  # fmt: skip
        wanted = np.degrees(np.arctan2(*oklab(np.array([[colour]], np.uint8))[0, 0, [2, 1]]))
        assert abs((self.hue(folder) - wanted + 180) % 360 - 180) < 40

    def test_a_colour_map_by_name_does_not_depend_on_the_cover(self, tmp_path):
        def content(colormap, seed):
            look = {"seconds": 0.5, "colormap": colormap}
            settings = {"videos": ["dynamic_style"], "seed": seed, "songs": 1, "covers": 1, "spectrogram": look}
            report = execute(toys.config(tmp_path, **settings))
            return json.loads((report.parent / "run.json").read_text())["files"]["dynamic_style.mp4"]["sha256"]

        assert content("cover", 0) != content("magma", 0)
        assert content("cover", 0) == content("cover", 0)

    def test_the_published_settings_keep_magma(self):
        assert compose(["experiment=published"])["spectrogram"]["colormap"] == "magma"
        assert compose([])["spectrogram"]["colormap"] == "cover"
