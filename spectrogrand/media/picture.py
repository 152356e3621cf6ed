"""Reads and writes still pictures; the first frame of a video counts as one."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import MediaError
from ..files import replacing
from ..types import Image
from .limits import LIMITS, Limits, check_pixels, open_local
from .sniff import SOUND_FILE, describe, is_heif, other_demuxer, sniff

FORMATS = (
    "PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "PPM", "JPEG2000", "HEIF", "ICO", "PCX", "QOI", "PSD", "SGI",
)  # fmt: skip
"""Rasters only: Pillow's EPS and WMF readers would start other programs."""
BACKGROUND = (255, 255, 255)
"""Transparent pictures are laid on white, as a page shows them."""


def load_image(path: str | os.PathLike[str], *, limits: Limits = LIMITS) -> Image:
    """Read a picture as 8-bit RGB: any raster of Pillow, or the first frame of a film.

    HEIC and HEIF need the optional package pillow-heif. EXIF orientation and colour profile (ICC) are applied, transparency is
    laid on white, CMYK, palettes, greys and 16 bits become 8-bit RGB.

    Args:
        path: a local file; `~` is expanded.
        limits: most pixels and bytes; checked before decoding.

    Raises:
        MediaError: missing, empty, no picture, cut off, or over the limits.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_image(folder + "/a.png", Image(np.full((2, 3, 3), 7, np.uint8)))
    ...     load_image(folder + "/a.png").pixels[0, 0].tolist()
    [7, 7, 7]
    """
    found, file = open_local(path, "picture", limits)
    with file:
        reader = sniff(file)
        if reader == SOUND_FILE:
            return _embedded(file, found, limits)
        if reader is not None:
            from .video import first_frame

            return first_frame(file, found, reader, limits)
        pixels = _raster(file, found, limits)
    pixels.flags.writeable = False
    return Image(pixels)


def save_image(path: str | os.PathLike[str], image: Image) -> None:
    """Write a PNG, whatever the suffix; the same pixels give the same bytes, no date or text is written.

    Level 3 of deflate: covers grow by 2 to 7 per cent over level 6, and are written in a third of the time.

    Raises:
        MediaError: the folder is missing or not writable, or the disk is full; nothing is left behind.
    """
    import PIL.Image

    with replacing(path) as temporary, open(temporary, "wb") as file:
        PIL.Image.fromarray(np.ascontiguousarray(image.pixels)).save(file, "PNG", compress_level=3)


def _embedded(file: BinaryIO, path: Path, limits: Limits) -> Image:
    """The cover in a sound file that libsndfile reads: FLAC, Ogg."""
    from .video import first_frame

    reader = other_demuxer(file)
    try:
        if reader is not None:
            file.seek(0)
            return first_frame(file, path, reader, limits)
    except MediaError:  # it holds none
        pass
    raise MediaError(f"{str(path)!r} is a sound, expected a picture or a video: there is none in it")


def _raster(file: BinaryIO, path: Path, limits: Limits) -> np.ndarray:
    import PIL.Image
    import PIL.ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes near our own limit, and of odd EXIF data
            PIL.Image.init()
            if is_heif(file):
                _open_heif(path)
            wanted = (*FORMATS, "TGA") if path.suffix.lower() == ".tga" else FORMATS  # TGA has no mark of its own
            formats = [name for name in wanted if name in PIL.Image.OPEN]
            with PIL.Image.open(file, formats=formats) as picture:
                check_pixels(picture.height, picture.width, path, limits)
                picture.load()
                upright = PIL.ImageOps.exif_transpose(picture)
                return _rgb(_profiled(upright))
    except PIL.Image.DecompressionBombError as error:
        raise MediaError(
            f"{str(path)!r} has far too many pixels, at most {limits.pixels / 1e6:,.0f} million are read: scale it down"
        ) from error
    except PIL.UnidentifiedImageError as error:
        expected = "a raster picture (png, jpeg, webp, gif, tiff, ...) or a video"
        raise MediaError(
            f"{str(path)!r} is no picture that can be read: it is {describe(file)}, expected {expected}"
        ) from error
    except MediaError:
        raise
    except (
        Exception
    ) as error:  # Pillow's decoders raise nearly anything (struct, index, syntax errors) on damaged files
        raise MediaError(
            f"the picture {str(path)!r} cannot be decoded ({error}): it is damaged or cut off, export it again"
        ) from error


def _open_heif(path: Path) -> None:
    """Let Pillow read HEIF by pillow-heif, where that is installed."""
    try:
        import pillow_heif
    except ImportError:
        raise MediaError(
            f"{str(path)!r} is a HEIC picture, which takes pillow-heif: pip install 'spectrogrand[heif]', or export it as JPEG"
        ) from None
    pillow_heif.register_heif_opener()


def _profiled(picture: Any) -> Any:
    """A picture in sRGB: its ICC profile applied where it carries one that can be used and is not sRGB itself."""
    import PIL.Image
    import PIL.ImageCms

    held = picture.info.get("icc_profile")
    if not held or picture.mode in ("I", "F") or picture.mode.startswith("I;"):
        return picture
    try:
        profile = PIL.ImageCms.ImageCmsProfile(io.BytesIO(held))
        if "srgb" in PIL.ImageCms.getProfileDescription(profile).lower():
            return picture
        clear = picture.convert("RGBA").getchannel("A") if picture.has_transparency_data else None
        kind = profile.profile.xcolor_space.strip()
        mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}.get(kind)
        if mode is None or (mode != "RGB" and picture.mode.rstrip("Aa") != mode):
            return picture
        source = picture if picture.mode == mode else picture.convert(mode)
        shown: Any = PIL.ImageCms.profileToProfile(
            source, profile, PIL.ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
        if clear is not None:
            shown.putalpha(clear)
        return shown
    except (PIL.ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a damaged profile: shown as if there were none
        return picture


def _rgb(picture: Any) -> np.ndarray:
    """Any Pillow mode as uint8 (row, column, rgb)."""
    import PIL.Image

    if picture.mode.startswith("I;16") or picture.mode == "I":  # 16-bit greys; "I" is what 16-bit PNM files come as
        grey = np.clip(np.asarray(picture, np.int64), 0, 65535)
        return np.repeat(((grey + 128) // 257).astype(np.uint8)[..., None], 3, axis=2)
    if picture.mode == "F":
        values = np.asarray(picture, np.float64)
        if not np.isfinite(values).all():
            raise ValueError("its pixels are not finite")
        scale = 255 if values.max() <= 1 else 1
        return np.repeat(np.clip(np.rint(values * scale), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        picture = PIL.Image.alpha_composite(PIL.Image.new("RGBA", over.size, (*BACKGROUND, 255)), over)
    return np.array(picture.convert("RGB"))
