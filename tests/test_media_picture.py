"""Pictures in and out: every mode becomes the RGB that a viewer shows."""

import io

import numpy as np
import PIL.Image
import pytest

from spectrogrand.errors import MediaError
from spectrogrand.media import load_image, save_image
from spectrogrand.types import Image


@pytest.mark.parametrize(
    ("mode", "colour", "seen"),
    [
        ("RGB", (10, 20, 30), (10, 20, 30)),
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("I;16", 0xFFFF, (255, 255, 255)),
        ("I;16", 257 * 100, (100, 100, 100)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("RGBA", (10, 20, 30, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 128), (127, 127, 127)),
        ("LA", (0, 0), (255, 255, 255)),
        ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
        ("CMYK", (0, 0, 0, 255), (0, 0, 0)),
        ("F", 0.5, (128, 128, 128)),
        ("F", 200.0, (200, 200, 200)),
    ],
)
def test_every_mode_becomes_rgb(tmp_path, mode, colour, seen):
    path = tmp_path / ("a.tiff" if mode in ("CMYK", "F") else "a.png")
    PIL.Image.new(mode, (3, 2), colour).save(path)
    pixels = load_image(path).pixels
    assert pixels.shape == (2, 3, 3) and pixels.dtype == np.uint8
    assert np.abs(pixels.reshape(-1, 3).astype(int) - seen).max() <= 1


def test_cmyk_jpeg_is_not_inverted(tmp_path):
    PIL.Image.new("CMYK", (32, 32), (255, 0, 0, 0)).save(tmp_path / "a.jpg", quality=95)
    r, g, b = load_image(tmp_path / "a.jpg").pixels[16, 16]
    assert r < 20 and g > 235 and b > 235


def test_palette_with_transparency_lies_on_white(tmp_path):
    picture = PIL.Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putdata([0, 1])
    picture.save(tmp_path / "a.png", transparency=1)
    assert load_image(tmp_path / "a.png").pixels.tolist() == [[[255, 0, 0], [255, 255, 255]]]


def test_values_that_are_no_numbers_are_refused(tmp_path):
    PIL.Image.fromarray(np.array([[0.5, np.nan]], np.float32)).save(tmp_path / "a.tiff")
    with pytest.raises(MediaError, match="not finite"):
        load_image(tmp_path / "a.tiff")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation):
    """The upright picture has one red corner at the top left; each stored turn of it must come back."""
    upright = np.full((32, 48, 3), 255, np.uint8)
    upright[:16, :16] = (255, 0, 0)
    undo = {
        1: lambda x: x, 2: lambda x: x[:, ::-1], 3: lambda x: x[::-1, ::-1], 4: lambda x: x[::-1],
        5: lambda x: x.transpose(1, 0, 2), 6: lambda x: np.rot90(x, 1), 7: lambda x: x[::-1, ::-1].transpose(1, 0, 2),
        8: lambda x: np.rot90(x, -1),
    }  # fmt: skip
    picture = PIL.Image.fromarray(np.ascontiguousarray(undo[orientation](upright)))
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(load_image(tmp_path / "a.png").pixels, upright)


def test_animation_gives_its_first_frame(tmp_path):
    first, second = (PIL.Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    for suffix in ("gif", "webp", "png"):
        first.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[second], lossless=True)
        assert load_image(tmp_path / f"a.{suffix}").pixels[4, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp", "tiff", "ppm", "tga", "avif", "jp2"])
def test_one_pixel_of_every_format(tmp_path, suffix):
    PIL.Image.new("RGB", (1, 1), (200, 200, 200)).save(tmp_path / f"a.{suffix}")
    pixels = load_image(tmp_path / f"a.{suffix}").pixels
    assert pixels.shape == (1, 1, 3) and abs(int(pixels[0, 0, 0]) - 200) <= 3


def test_loaded_pictures_cannot_be_changed(tmp_path):
    save_image(tmp_path / "a.png", Image(np.zeros((2, 2, 3), np.uint8)))
    with pytest.raises(ValueError, match="read-only"):
        load_image(tmp_path / "a.png").pixels[0] = 1


def test_png_round_trip_and_bytes_repeat(tmp_path, rng):
    image = Image(rng.integers(0, 255, (37, 53, 3), np.uint8))
    for name in ("a.png", "b.png"):
        save_image(tmp_path / name, image)
    np.testing.assert_array_equal(load_image(tmp_path / "a.png").pixels, image.pixels)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_first_frame_of_the_published_video_is_its_cover(shared):
    cover = load_image(shared / "data/demo/spaceships_static.mp4")
    assert cover.size == (1024, 1024)
    assert cover.pixels.std() > 20  # a picture, not a blank


def test_cover_inside_a_sound_file(tmp_path, shared):
    """An MP3 with embedded art: the sound reads as sound, the art as picture."""
    art = io.BytesIO()
    PIL.Image.new("RGB", (20, 10), (0, 255, 0)).save(art, "PNG")
    body = b"\0image/png\0\x03\0" + art.getvalue()
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\0\0" + body
    size = len(frame)
    tag = b"ID3\3\0\0" + bytes((size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127)) + frame
    (tmp_path / "a.mp3").write_bytes(tag + (shared / "data/audio/808kick120bpm.mp3").read_bytes())
    from spectrogrand.media import load_audio, load_video

    assert load_audio(tmp_path / "a.mp3").duration == 10
    assert load_image(tmp_path / "a.mp3").pixels[5, 5].tolist() == [0, 255, 0]
    with pytest.raises(MediaError, match="a sound with a cover"):
        load_video(tmp_path / "a.mp3")
