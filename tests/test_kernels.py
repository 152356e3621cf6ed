"""Compiled pixel loops: against Pillow's resizing and numpy's own passes, the same bytes in any division of the rows."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow

from spectrogrand.engines.restyle.strokes import _runs
from spectrogrand.image import kernels
from spectrogrand.image.colour import stretch
from spectrogrand.image.kernels import compiled, draw_moving, draw_stage, draw_still, flow, glaze, taps, widen
from spectrogrand.image.transport import _order
from spectrogrand.image.warp import Plate, pack, planes, unpack

SIZE, GRID, LIGHT = (61, 83), 24, 40
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "few, many", [((24, 24), (61, 83)), ((9, 30), (40, 31)), ((96, 96), (48, 33)), ((4, 5), (4, 9))]
)
def test_taps_resize_as_pillow_does(few, many):
    field = RNG.normal(size=few).astype(np.float32)
    first, weights = taps(few[0], many[0])
    wide = widen(field, many[1])
    got = np.stack([(w[:, None] * wide[a : a + len(w)]).sum(0) for a, w in zip(first, weights, strict=True)])
    want = np.asarray(Pillow.fromarray(field).resize(many[::-1], Pillow.Resampling.BICUBIC))
    assert np.abs(got - want).max() < 1e-5


def waves(count):
    y, x = np.mgrid[0:GRID, 0:GRID] / GRID
    return [np.sin(2 * np.pi * (x * (k + 1) + y)).astype(np.float32) for k in range(count)]


def in_bands(function, arguments, rows, *cuts):
    """The frame drawn in bands of rows, the last first."""
    out = np.zeros((*SIZE, 3), np.uint8)
    edges = [0, *cuts, rows]
    for begin, end in reversed([*zip(edges, edges[1:], strict=False)]):
        compiled(function)(*arguments, out, begin, end)
    return out


def nearly(got, want):
    """Equal but for the rounding of a few places, where another neighbour is sampled."""
    apart = np.abs(got.astype(int) - want.astype(int))
    return (apart > 1).mean() < 2e-3


def test_a_still_picture_is_drawn_as_by_numpy():
    table = RNG.integers(0, 2**24, 4096).astype(np.uint32)
    smooth = (100 + np.linspace(0, 3000, SIZE[0] * 4)[:, None] + np.linspace(0, 800, SIZE[1] * 4)[None]).astype(
        np.int16
    )
    plate = Plate(lambda size: smooth[: size[0], : size[1]], SIZE, waves(2))
    light, shade = (RNG.normal(0, 40, (LIGHT, LIGHT)).astype(np.float32) for _ in range(2))
    warm, down, right = np.array([1, -0.35, -0.82], np.float32), [3.0, 0.5], [-1.0, 4.0]
    code = plate.sample(down, right) + np.clip(stretch(light, *SIZE), -50, 90).astype(np.int16)
    want = unpack(table.take(code.astype(np.intp))) + stretch(shade, *SIZE)[..., None] * warm
    want = np.clip(want + np.float32(0.5), 0, 255).astype(np.uint8)
    arguments = (
        *plate.ground(), *plate.ways(down, right), *taps(LIGHT, SIZE[0]), widen(light, SIZE[1]), widen(shade, SIZE[1]),
        np.float32(-50), np.float32(90), table, warm,
    )  # fmt: skip
    whole = in_bands(draw_still, arguments, SIZE[0])
    assert nearly(whole, want)
    assert (in_bands(draw_still, arguments, SIZE[0], 7, 30) == whole).all()


def test_a_stream_is_drawn_as_by_numpy():
    table = pack(np.repeat(np.linspace(0, 255, 3000)[:, None], 3, 1).astype(np.float32))
    grey = RNG.integers(0, 256, SIZE).astype(np.uint8)
    plate = Plate(lambda size: RNG.integers(-90, 90, size).astype(np.int16), SIZE)
    down, right, relief = (5 * w for w in waves(3))
    gain, near = (RNG.uniform(0.5, 2, SIZE[1]).astype(np.float32) for _ in range(2))
    flare, base = RNG.uniform(-60, 60, SIZE[0]).astype(np.float32), np.linspace(200, 2200, SIZE[0]).astype(np.int16)
    level = grey.astype(np.float32) * gain
    texture = plate.sample((), (), stretch(down, *SIZE), stretch(right, *SIZE))
    level += texture * np.maximum(level * np.float32(0.002) + np.float32(0.12), np.float32(0.4))
    level += flare[:, None] * near + stretch(relief, *SIZE)
    want = unpack(table.take((base[:, None] + np.clip(level, -128, 639).astype(np.int16)).astype(np.intp)))
    amount = (np.float32(0.002), np.float32(0.12), np.float32(0.4))
    arguments = (
        grey, gain, *plate.ground(), *plate.ways(down, right), widen(relief, SIZE[1]), amount, flare, near, base,
        np.float32(-128), np.float32(639), table,
    )  # fmt: skip
    whole = in_bands(draw_moving, arguments, SIZE[0])
    assert nearly(whole, want)
    assert (in_bands(draw_moving, arguments, SIZE[0], 50) == whole).all()


@pytest.mark.parametrize("split", [0.0, 2.4])
def test_a_stage_is_drawn_as_by_numpy(split):
    picture = np.stack([np.add.outer(np.linspace(0, 150, SIZE[0] * 4), np.linspace(0, 100, SIZE[1] * 4))] * 3, -1)
    plate = Plate(lambda size: pack(picture[: size[0], : size[1]]), SIZE, waves(1))
    vignette, shine, glow = (RNG.uniform(0.2, 1, (n, *SIZE)).astype(np.float32) for n in (1, 1, 3))
    lit = (
        planes(plate.sample([2.0], [-3.0])) * (np.float32(0.9) * (vignette + np.float32(0.4) * shine))
        + np.float32(0.3) * 90 * glow
    )
    lit[:, 10:16, 20:26] += np.array([40, 50, 60], np.float32)[:, None, None]
    if split:
        at = np.arange(SIZE[1])
        for channel, way in ((0, -1), (2, 1)):
            two, three = (np.clip(at + way * n, 0, SIZE[1] - 1) for n in (2, 3))
            lit[channel] = lit[channel][:, two] * 0.6 + lit[channel][:, three] * 0.4
    want = np.minimum(lit, 255).transpose(1, 2, 0).astype(np.uint8)
    arguments = (
        *plate.ground(), *plate.ways([2.0], [-3.0]), vignette[0], shine[0], 90 * glow, np.float32(0.9), np.float32(0.4),
        np.float32(0.3), np.array([[10], [20]]), np.array([6]), np.ones((2, 1, 6), np.float32),
        np.array([40, 50, 60], np.float32), split,
    )  # fmt: skip
    whole = in_bands(draw_stage, arguments, SIZE[0])
    assert nearly(whole, want)
    assert (in_bands(draw_stage, arguments, SIZE[0], 1, 2, 40) == whole).all()


def test_where_nothing_can_be_written_loops_are_compiled_without_keeping_them(monkeypatch):
    import numba

    asked = []

    def refuse(**how):
        asked.append(how.get("cache", False))
        if how.get("cache"):
            raise RuntimeError("cannot cache function: no locator available for file")
        return lambda function: function

    monkeypatch.setattr(numba, "njit", refuse)
    kernels.compiled.cache_clear()
    try:
        assert compiled(kernels._widen) is kernels._widen and asked == [True, False]
    finally:
        kernels.compiled.cache_clear()


def test_order_is_that_of_a_stable_sort():
    values = np.round(RNG.normal(size=2000), 1).astype(np.float32)
    values[:3] = 0.0, -0.0, 0.0
    assert (_order(values) == np.argsort(values, kind="stable")).all()


def test_a_stroke_is_laid_as_by_numpy_and_cut_at_every_edge():
    row, zero, shape, share = 768, 128, (40, 50), 0.37
    drawn = RNG.integers(0, 32 * row, shape).astype(np.int16)
    grain = RNG.normal(0, 30, (15, 21)).astype(np.float32)
    mask = RNG.random(grain.shape) < 0.6
    for top, left in ((10, 12), (-6, -9), (32, 40), (-20, 5), (3, 70)):
        plate, want = drawn.copy().ravel(), drawn.copy()
        own = np.clip(np.float32(300) + grain, -128, 639).astype(np.int16) + zero
        for r, c in np.argwhere(mask):
            if 0 <= top + r < shape[0] and 0 <= left + c < shape[1]:
                hue, under = divmod(int(drawn[top + r, left + c]), row)
                want[top + r, left + c] = int(hue * row + under + share * (int(own[r, c]) - under))
        compiled(glaze)(
            plate, drawn.ravel(), shape, top, left, _runs(mask), grain, np.float32(300), np.float32(-128), np.float32(639),
            zero, row, share,
        )  # fmt: skip
        assert (plate.reshape(shape) == want).all()


def test_light_travels_as_by_numpy():
    past, present = RNG.normal(size=900).astype(np.float32), RNG.normal(size=20).astype(np.float32)
    at, rows = RNG.integers(0, 700, 333).astype(np.uint32), RNG.integers(0, 20, 333).astype(np.uint32)
    fall, axis = RNG.random((2, 333)).astype(np.float32)
    out, between = np.empty(333, np.float32), np.float32(0.3)
    compiled(flow)(past, at, 150, 151, between, fall, present, axis, rows, out)
    light = past[at + 150] * (1 - between)
    light += past[at + 151] * between
    assert np.abs(out - (light * fall + present[rows] * axis)).max() < 1e-6


def test_colours_are_packed_as_by_numpy():
    rgb = RNG.uniform(-40, 300, (500, 3)).astype(np.float32)
    assert (kernels.pack_floats(rgb) == pack(rgb)).all()
