"""Our own arbitrary style transfer: a small network, shipped with the package, that paints without torch and in real time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, MissingExtra
from ...interfaces import Card, Stylizer
from ...privacy import onnxruntime
from ...registry import register
from ...types import Frames, Image
from ...weights import files

DATA = Path(__file__).parents[2] / "data"
FILES = ("spectral_style.code.onnx", "spectral_style.encode.onnx", "spectral_style.decode.onnx")
READ = 256
"""Pixels a side at which a style picture is read."""
CELLS = 4
"""Rows and columns of a style's cells."""
LUMA = np.array((0.299, 0.587, 0.114), np.float32)


@register("spectral_style")
class SpectralStyle(Stylizer):
    """Adaptive instance normalisation (Huang and Belongie 2017, arXiv:1703.06868) whose scale and shift know places.

    A style picture is read by SqueezeNet's first layers; means and deviations of their activations, over the whole picture
    and over 4 x 4 cells, become codes of 96 numbers. Each of the painter's layers is scale(s) * (x - mean) / sqrt(variance)
    + shift(s), with the code s drawn out between the cells. So a spectrogram's low notes steer the picture's lower edge, and a
    cover's sky colours what is high. What is constant over a stream (the style's code, the content's features) is made once.

    Args:
        weights: folder with spectral_style.{code,encode,decode}.onnx from train/stylizer.py; None is what the package ships.
        strength: s = strength * style's code + (1 - strength) * content's own; 0 redraws the content.
        layout: 0 takes a style as a whole, 1 place by place.
        present: share of a streamed style's width that is read, around `now`: the sound at this moment; 1 reads the whole window.
        now: where in the stream's pictures the present is, 0 (left edge) to 1; `spectrogram_frames` centres on it.
        smoothing: how much of the frames so far a streamed style's code keeps, 0 to 0.95.
        detail: how much of the content's fine detail, finer than the network draws, is put back, 0 to 1.
        side: longer side in pixels at which the network draws, 64 to 1024.
        threads: threads of the network, 1 to 64.
    """

    card = Card(
        "our own arbitrary style transfer: 0.6 million trained parameters, onnxruntime",
        paper="Huang and Belongie 2017, Arbitrary style transfer in real-time with adaptive instance normalization",
        terms="ships with the package; its style reader is SqueezeNet 1.1 to fire5 (MIT), trained on ImageNet",
        modules=("onnxruntime", "PIL"),
    )

    def __init__(
        self,
        *,
        weights: str | None = None,
        strength: float = 0.75,
        layout: float = 0.7,
        present: float = 0.12,
        now: float = 0.5,
        smoothing: float = 0.3,
        detail: float = 0.5,
        side: int = 256,
        threads: int = 2,
    ) -> None:
        limits: dict[str, tuple[float, float, float]] = {
            "strength": (strength, 0, 1),
            "layout": (layout, 0, 1),
            "smoothing": (smoothing, 0, 0.95),
        }
        limits |= {"present": (present, 0.02, 1), "now": (now, 0, 1)}
        limits |= {"detail": (detail, 0, 1), "side": (side, 64, 1024), "threads": (threads, 1, 64)}
        for name, (value, low, high) in limits.items():
            whole = name in ("side", "threads")
            if (
                isinstance(value, bool)
                or not isinstance(value, int if whole else int | float)
                or not low <= value <= high
            ):
                raise InvalidValue(f"spectral_style takes {name} from {low} to {high}, got {value!r}")
        if weights is not None and (not isinstance(weights, str) or not weights):
            raise InvalidValue(f"weights is a folder, got {weights!r}: set weights=FOLDER, or null for what is shipped")
        self.weights, self.strength, self.layout, self.smoothing = weights, strength, layout, smoothing
        self.present, self.now, self.detail, self.side, self.threads = present, now, detail, side, threads
        self._networks: list[Any] = []

    def stylize(self, content: Image | Frames, style: Image | Frames) -> Frames:
        """Styled frames in the content's size; nothing is drawn before they are asked for.

        Raises:
            InvalidValue: two streams that differ in count or fps, or weights that are not this network's.
            MissingExtra: there are no weights in the folder that was named.

        >>> grey = Image(np.full((64, 96, 3), 128, np.uint8))
        >>> frames = SpectralStyle(side=64).stylize(grey, grey)
        >>> next(iter(frames)).shape
        (64, 96, 3)
        """
        both = isinstance(content, Frames) and isinstance(style, Frames)
        if both and (content.count, content.fps) != (style.count, style.fps):  # type: ignore[union-attr]
            raise InvalidValue(
                f"two streams must agree: content has {content.count} frames at {content.fps} fps, "  # type: ignore[union-attr]
                f"style {style.count} at {style.fps}; resample one of them"  # type: ignore[union-attr]
            )
        self._paths()
        stream = content if isinstance(content, Frames) else style if isinstance(style, Frames) else None
        count, fps = (stream.count, stream.fps) if stream else (1, Fraction(1))
        return Frames(lambda: self._draw(content, style, count), content.size, count, fps)

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights and the version of onnxruntime."""
        from importlib.metadata import version

        return {"weights": {p.name: files.sha256_of(p) for p in self._paths()}, "onnxruntime": version("onnxruntime")}

    def close(self) -> None:
        """Free the networks."""
        self._networks = []

    def _paths(self) -> list[Path]:
        folder = DATA if self.weights is None else Path(self.weights).expanduser()
        for name in FILES:
            if not (folder / name).is_file():
                raise MissingExtra(
                    f"stylizers 'spectral_style' finds no {folder / name}: python train/stylizer.py export={folder} makes it"
                )
        return [folder / name for name in FILES]

    def _load(self) -> list[Any]:
        if not self._networks:
            runtime = onnxruntime()
            options = runtime.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = self.threads, 1, 3
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            for path in self._paths():
                try:  # from bytes: a graph that points at files beside itself cannot be read so
                    made = runtime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
                except Exception as error:  # onnxruntime's errors share no public base
                    said = str(error).splitlines()[0][:160]
                    raise InvalidValue(f"{path} is no network of spectral_style ({said}): export it again") from error
                self._networks.append(made)
        return self._networks

    def _code(self, picture: np.ndarray) -> np.ndarray:
        """Codes of a picture's cells, mixed with the whole's; float32, shape=(1, axis, cell)."""
        codes = self._load()[0].run(None, {"picture": _planes(_resized(picture, READ, READ))})[0]
        cells, whole = codes[..., :-1], codes[..., -1:]
        return np.asarray(self.layout * cells + (1 - self.layout) * whole, np.float32)

    def _draw(self, content: Image | Frames, style: Image | Frames, count: int) -> Iterator[np.ndarray]:
        shape = drawn_at(content.size, self.side)
        spreads = {f"s{d}": spreading(CELLS, CELLS, shape[0] // d, shape[1] // d) for d in (2, 4, 8)}
        painter = self._load()[2]
        contents, codes = self._contents(content, shape, count), self._codes(style, count)
        for (features, own, fine), code in zip(contents, codes, strict=True):
            if own is not None:
                code = own + np.float32(self.strength) * (code - own)
            drawn = painter.run(None, {**features, "code": code, **spreads})[0]
            if not np.isfinite(drawn).all():
                raise InvalidValue("spectral_style drew numbers that are not finite: export its weights again")
            picture = np.asarray(np.rint(drawn[0].transpose(1, 2, 0) * 255), np.uint8)
            yield finished(_resized(picture, *content.size), fine)

    def _contents(
        self, content: Image | Frames, shape: tuple[int, int], count: int
    ) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray | None, np.ndarray | None]]:
        """Features, the content's own code where strength asks for it, and the detail to put back."""

        def ready(pixels: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray | None, np.ndarray | None]:
            small = _resized(pixels, *shape)
            names = ("half", "quarter", "eighth")
            features = dict(zip(names, self._load()[1].run(None, {"picture": _planes(small)}), strict=True))
            own = self._code(pixels) if self.strength < 1 else None
            return features, own, detail_of(pixels, small, self.detail)

        if isinstance(content, Image):
            once = ready(content.pixels)
            yield from (once for _ in range(count))
        else:
            yield from map(ready, content)

    def _codes(self, style: Image | Frames, count: int) -> Iterator[np.ndarray]:
        if isinstance(style, Image):
            once = self._code(style.pixels)
            yield from (once for _ in range(count))
            return
        mean: np.ndarray | None = None
        for picture in style:
            code = self._code(around(picture, self.now, self.present))
            mean = code if mean is None else (self.smoothing * mean + (1 - self.smoothing) * code).astype(np.float32)
            yield mean


def drawn_at(size: tuple[int, int], side: int) -> tuple[int, int]:
    """(rows, columns) at which a picture of `size` is drawn: its aspect, the longer side `side`, multiples of 8 from 32.

    >>> drawn_at((1080, 1920), 256)
    (144, 256)
    """
    scale = side / max(size)
    rows, columns = (max(32, 8 * round(n * scale / 8)) for n in size)
    return rows, columns


def spreading(rows: int, columns: int, height: int, width: int) -> np.ndarray:
    """Bilinear weights that draw rows x columns cells out to (height, width); float32, shape=(cell, row, column).

    >>> spreading(2, 2, 4, 4).sum(axis=0).tolist() == np.ones((4, 4)).tolist()
    True
    """

    def along(cells: int, positions: int) -> np.ndarray:
        at = np.clip((np.arange(positions) + 0.5) * cells / positions - 0.5, 0, cells - 1)
        return np.maximum(0, 1 - np.abs(at[None] - np.arange(cells)[:, None]))

    made = np.einsum("ah,bw->abhw", along(rows, height), along(columns, width))
    return made.reshape(rows * columns, height, width).astype(np.float32)


def around(picture: np.ndarray, now: float, share: float) -> np.ndarray:
    """The columns of a picture around `now`, at least one; at the borders as many, moved inwards.

    >>> around(np.arange(10).reshape(1, 10, 1), 0.5, 0.2)[0, :, 0].tolist()
    [4, 5]
    """
    columns = picture.shape[1]
    width = max(1, round(share * columns))
    left = min(max(0, round(now * columns - width / 2)), columns - width)
    return picture[:, left : left + width]


def detail_of(pixels: np.ndarray, small: np.ndarray, share: float) -> np.ndarray | None:
    """What of a content's luminance is finer than `small` can hold, int16, shape=(row, column, 1); None where nothing is."""
    if share == 0 or math.prod(small.shape[:2]) >= math.prod(pixels.shape[:2]):
        return None
    fine = (pixels.astype(np.float32) - _resized(small, *pixels.shape[:2])) @ LUMA
    return np.rint(np.float32(share) * fine).astype(np.int16)[..., None]


def finished(picture: np.ndarray, fine: np.ndarray | None) -> np.ndarray:
    """A drawn picture with its detail."""
    return picture if fine is None else np.clip(picture.astype(np.int16) + fine, 0, 255).astype(np.uint8)


def _planes(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def _resized(pixels: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The whole picture at another size."""
    if pixels.shape[:2] == (rows, columns):
        return pixels
    from PIL import Image as Pillow

    return np.asarray(Pillow.fromarray(pixels).resize((columns, rows), Pillow.Resampling.BICUBIC))
