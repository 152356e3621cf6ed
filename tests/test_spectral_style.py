"""spectral_style: the shipped network draws, keeps time and place, and is what training exports."""

import json
from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import Frames, Image, Topic, build, media
from spectrogrand.audio.spectrogram import mel_spectrogram, spectrogram_frames
from spectrogrand.errors import InvalidValue, MissingExtra
from spectrogrand.plugins.stylizers import spectral_style as plugin

SMALL = {"side": 128, "threads": 1, "strength": 1.0}


def make(**settings):
    return build("stylizers", {"name": "spectral_style", **SMALL, **settings})


def drawn(content, style, **settings):
    return np.stack(list(make(**settings).stylize(content, style))).astype(float)


def shapes(seed=0, side=128, shift=0):
    """Discs on a slope: a picture with edges that can be moved sideways."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, : 2 * side]
    pixels = np.zeros((side, 2 * side, 3)) + 60 + 60 * y[..., None] / side
    for _ in range(24):
        cx, cy, r = rng.random(3) * (2 * side, side, side / 6)
        pixels[(x - cx) ** 2 + (y - cy) ** 2 < (r + 4) ** 2] = rng.integers(0, 255, 3)
    return Image(np.ascontiguousarray(pixels[:, shift : shift + side].astype(np.uint8)))


def stream(pictures, fps=25):
    return Frames(lambda: iter([p.pixels for p in pictures]), pictures[0].size, len(pictures), Fraction(fps))


@pytest.fixture(scope="module")
def song():
    return build("generators", {"name": "house_synth", "duration": 4.0, "genre": "bass"}).generate(
        [Topic("neon city")], [3]
    )[0]


def test_the_weights_are_shipped_small_and_with_their_card():
    files = [plugin.DATA / name for name in plugin.FILES]
    assert sum(f.stat().st_size for f in files) < 3_000_000
    card = json.loads((plugin.DATA / "spectral_style.json").read_text())
    assert card["bytes"] == {f.name: f.stat().st_size for f in files}
    assert 200_000 < card["parameters"]["trained"] < 900_000 and "MIT" in card["licence"]
    text = (plugin.DATA / "spectral_style.json").read_bytes() + b"".join(f.read_bytes() for f in files)
    assert b"/work" not in text and b"/home" not in text and b".py" not in text


def test_a_style_gives_its_colours_and_the_content_its_edges():
    content = shapes(1)
    warm, cold = (
        Image(np.clip(shapes(7).pixels * np.array(c), 0, 255).astype(np.uint8))
        for c in ((1.6, 0.7, 0.2), (0.2, 0.7, 1.6))
    )
    red, blue = drawn(content, warm)[0], drawn(content, cold)[0]
    assert (red[..., 0] - red[..., 2]).mean() > 25 and (blue[..., 2] - blue[..., 0]).mean() > 25

    def edges(pixels):
        grey = pixels.astype(float).mean(axis=2)
        steep = np.hypot(*np.gradient(grey))
        return steep - steep.mean()

    def likeness(a, b):
        return (edges(a) * edges(b)).sum() / np.sqrt((edges(a) ** 2).sum() * (edges(b) ** 2).sum())

    assert likeness(red, content.pixels) > 0.5 > 0.2 > likeness(red, shapes(2).pixels)


def test_strength_0_redraws_the_content_in_its_own_colours():
    content, style = shapes(1), Image(np.full((64, 64, 3), (250, 20, 20), np.uint8))
    apart = [np.abs(drawn(content, style, strength=s)[0] - content.pixels).mean() for s in (0.0, 0.5, 1.0)]
    assert apart[0] < 0.75 * apart[2] and apart[0] < apart[1] < apart[2] + 5


def test_layout_puts_colours_where_the_style_has_them():
    y = np.linspace(0, 1, 128)[:, None, None]
    style = Image(np.broadcast_to(y * (230, 40, 30) + (1 - y) * (20, 40, 200), (128, 128, 3)).astype(np.uint8))

    def slope(layout):
        picture = drawn(shapes(1), style, layout=layout)[0]
        warmth = picture[..., 0] - picture[..., 2]
        return warmth[-32:].mean() - warmth[:32].mean()

    assert slope(1.0) > 40 and slope(1.0) > slope(0.0) + 30


def test_present_reads_the_middle_of_a_streamed_style():
    pixels = np.full((64, 200, 3), (20, 20, 200), np.uint8)
    pixels[:, 90:110] = (230, 120, 20)
    content, style = shapes(1), stream([Image(pixels)])

    def warmth(**settings):
        picture = drawn(content, style, **settings)[0]
        return (picture[..., 0] - picture[..., 2]).mean()

    assert warmth(present=0.1) > 20 > -20 > warmth(present=0.1, now=0.0)
    assert warmth(present=1.0) < warmth(present=0.1) - 40
    still = drawn(content, Image(pixels))[0]
    assert abs((still[..., 0] - still[..., 2]).mean() - warmth(present=1.0)) < 1  # a still style is read as a whole


def test_what_is_constant_over_a_stream_is_computed_once(monkeypatch):
    part = make()
    calls = {0: 0, 1: 0, 2: 0}

    class Counting:
        def __init__(self, number, session):
            self.number, self.session = number, session

        def run(self, *arguments):
            calls[self.number] += 1
            return self.session.run(*arguments)

    part._networks = [Counting(k, s) for k, s in enumerate(part._load())]
    pictures = [shapes(1, shift=4 * k) for k in range(4)]
    list(part.stylize(pictures[0], stream(pictures)))
    assert calls == {0: 4, 1: 1, 2: 4}
    calls.update({0: 0, 1: 0, 2: 0})
    list(part.stylize(stream(pictures), pictures[0]))
    assert calls == {0: 1, 1: 4, 2: 4}


def test_a_content_that_moves_does_not_flicker(song):
    """A piece of a spectrogram that two neighbouring frames share is drawn nearly alike (layout would move colours)."""
    columns = 6
    frames = spectrogram_frames(
        mel_spectrogram(song), count=8, fps=Fraction(128, 9), size=(128, 128), seconds=1.5
    )  # 6 pixels a frame
    style = shapes(7)
    shown, source = drawn(frames, style, layout=0.0), np.stack(list(frames)).astype(float)
    assert np.abs(source[1:, :, :-columns] - source[:-1, :, columns:]).mean() < 1
    inner = np.abs(shown[1:, 16:-16, 16 : -16 - columns] - shown[:-1, 16:-16, 16 + columns : -16]).mean()
    other = np.abs(shown[1:, 16:-16, 16:-16] - shown[:-1, 16:-16, 16:-16]).mean()
    assert inner < 0.6 * other


def test_smoothing_keeps_a_part_of_what_was():
    flash = [Image(np.full((64, 64, 3), c, np.uint8)) for c in ((10, 10, 90), (240, 220, 60), (10, 10, 90))]
    swing = [np.abs(np.diff(drawn(shapes(1), stream(flash), smoothing=s), axis=0)).mean() for s in (0.0, 0.6)]
    assert swing[1] < 0.75 * swing[0]


def test_detail_puts_back_what_the_network_cannot_draw():
    fine = np.kron(shapes(1, 64).pixels, np.ones((4, 4, 1), np.uint8))
    fine[::2] = fine[::2] // 2
    content, style = Image(fine), shapes(7)
    rows = [np.abs(np.diff(drawn(content, style, side=64, detail=d)[0], axis=0)).mean() for d in (0.0, 1.0)]
    assert rows[1] > 2 * rows[0]


def test_any_size_and_aspect_comes_back_in_its_own():
    for size in ((100, 260), (33, 17), (128, 128)):
        content = Image(np.ascontiguousarray(np.resize(shapes(1).pixels, (*size, 3))))
        assert drawn(content, shapes(7)).shape == (1, *size, 3)


def test_threads_change_nothing_that_is_seen():
    one, two = (drawn(shapes(1), shapes(7), threads=t) for t in (1, 2))
    assert np.abs(one - two).max() <= 1


def test_an_hours_stream_is_not_kept_in_memory():
    seen = []

    def endless():
        for k in range(10**9):
            seen.append(k)
            yield shapes(1).pixels

    frames = make().stylize(shapes(1), Frames(endless, (128, 128), 10**9, Fraction(25)))
    shown = iter(frames)
    next(shown), next(shown)
    assert len(seen) <= 3


def test_measures_against_the_goals(shared, tmp_path):
    """The published song and cover: keeps the cover, is no overlay, carries the song; by the shared measures."""
    import importlib.util

    from PIL import Image as Pillow

    spec = importlib.util.spec_from_file_location("video_quality", shared / "measure/video_quality.py")
    measures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(measures)
    demo = shared / "data/demo/spaceships_static.mp4"
    song, cover = media.load_audio(demo), media.load_image(demo).resized(192, 192)
    frames = spectrogram_frames(mel_spectrogram(song), count=100, fps=Fraction(10), size=(192, 192))
    part = build("stylizers", {"name": "spectral_style", "side": 192, "threads": 1})
    media.save_video(tmp_path / "a.mp4", part.stylize(cover, frames), song, threads=1)
    found = measures.measure(str(tmp_path / "a.mp4"), Pillow.fromarray(cover.pixels))
    assert found["edge_ssim"] >= 0.40 and found["mix_r2"] <= 0.70 and found["carries"] >= 0.45, found
    assert found["flashes"] == 0


@pytest.mark.parametrize("settings, said", [
    ({"strength": 2}, "strength from 0 to 1"), ({"side": 32}, "side from 64"), ({"side": 100.0}, "side from 64"),
    ({"present": 0}, "present from"), ({"threads": True}, "threads"), ({"weights": 3}, "weights is a folder"),
])  # fmt: skip
def test_settings_out_of_range_are_named(settings, said):
    with pytest.raises(InvalidValue, match=said):
        build("stylizers", {"name": "spectral_style", **settings})


def test_streams_of_other_lengths_and_weights_of_another_kind(tmp_path):
    two, three = stream([shapes(1)] * 2), stream([shapes(1)] * 3)
    with pytest.raises(InvalidValue, match="content has 2 frames"):
        make().stylize(two, three)
    with pytest.raises(MissingExtra, match=r"finds no .*code.onnx: python train/stylizer.py export="):
        make(weights=str(tmp_path)).stylize(shapes(1), shapes(2))
    for name in plugin.FILES:
        (tmp_path / name).write_bytes((plugin.DATA / name).read_bytes()[:5000])
    with pytest.raises(InvalidValue, match="is no network of spectral_style"):
        list(make(weights=str(tmp_path)).stylize(shapes(1), shapes(2)))
