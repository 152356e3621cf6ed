"""A still picture drawn with a stream: its shapes stay; the stream's colours, light and beat move through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...image.colour import luma, oklab, shrink, stretch
from ...image.focus import focus_of, guided, looseness, soft_luma
from ...image.kernels import compiled, draw_still, taps, widen
from ...image.transport import directions, quantiles, transport
from ...image.warp import Plate, unpack
from ...types import Frames, Image
from .flow import SIDE, LightFlow
from .palette import PAD, Axes, codes, packed, table
from .pulse import Moment, moments
from .strokes import Strokes

_GRID = 96
_EVERY, _FOLLOW = 8, 0.05
"""Frames between two solutions of the transport, and how fast the shown colours follow the solved ones, per frame."""
_ROUNDS = 8
_KEEP, _FINE = 0.28, 1.3
"""Share of the content's own large light that stays, and gain of its detail: the same for every picture."""
_CALM = 0.3
"""Share of the flowing light that is left where the director wants nothing to move."""
_FLOWING, _BLOOM = 260, 160
"""Levels that flowing light and a beat's bloom add, at full `light`."""
_GLIDE, _SWAY, _PUNCH = 4.0, 0.85, 1.8
"""Turns a second that a beat speeds the swaying up by, its reach in pushes, and a beat's push towards the focal point."""
_FADES = (0.16, 0.2)
"""Seconds in which a beat's light and push, and its glide, fade: nearly equal, or their sum swells again between beats."""
_SPOT = 0.4
_VIVID = 0.2
"""Further chroma at full `strength`: colours that lie side by side in strokes are seen as their paler mean."""
_TINT, _WARM = 70.0, np.array([1.0, -0.35, -0.82], np.float32)
"""How far, of 255, colours turn warm with what sounds now, at full `light`: a turn that changes no luma (ITU-R BT.601)."""


class StillCanvas:
    """Renders one still content under one style; made anew for every walk over the frames, so that walks never meet."""

    def __init__(self, content: Image, style: Image | Frames, settings: Mapping[str, Any]) -> None:
        self.content, self.style = content, style
        self.strength, self.light = float(settings["strength"]), float(settings["light"])
        self.push = float(settings["displacement"]) / 1000 * max(content.size)
        self.now, self.solve = float(settings["now"]), int(settings["solve"])
        self.strokes = float(settings.get("strokes", 0.0))

    def frames(self) -> Iterator[np.ndarray]:
        """The frames in order."""
        self._prepare()
        if isinstance(self.style, Image):
            self._palette(self.style.pixels)
            yield unpack(packed(self._table).take(self._plate.sample([0] * 5, [0] * 5)))
            return
        self._fps = float(self.style.fps)
        self._flow = LightFlow(self.content.pixels, self._fps)
        self._phase = 0.0
        for k, (picture, moment) in enumerate(zip(self.style, moments(self.style, self.now), strict=True)):
            if k % _EVERY == 0:
                self._palette(picture)
            self._table += (self._goal - self._table) * np.float32(_FOLLOW)
            yield self._draw(moment)

    def _prepare(self) -> None:
        pixels = self.content.pixels
        rows, columns = pixels.shape[:2]
        axes = Axes(shrink(pixels, min(rows, self.solve), min(columns, self.solve)))
        self._bases = directions(_ROUNDS)
        level, tone = self._even_light(luma(pixels).astype(np.float32) / 255), axes.tone(pixels)

        def draw(size: tuple[int, int]) -> np.ndarray:
            return codes(*(np.clip(stretch(part, *size), 0, 1) for part in (level, tone)))

        self._plate = Plate(draw, (rows, columns), self._ways())
        self._strokes = Strokes(self._plate, level, self.strokes) if self.strokes > 0 else None
        step = (max(1, rows // self.solve), max(1, columns // self.solve))
        every = np.s_[step[0] // 2 :: step[0], step[1] // 2 :: step[1]]
        self._points = oklab(pixels[every]).reshape(-1, 3)
        self._points[:, 0] += (level - luma(pixels).astype(np.float32) / 255)[every].ravel()
        self._where = level[every].ravel(), tone[every].ravel()
        self._target = self._table = np.zeros(0, np.float32)
        fy, fx = focus_of(pixels)
        y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / (SIDE - 1)
        soft = soft_luma(pixels, SIDE)
        self._room = np.clip(1.3 - 1.1 * soft, 0.2, 1) * np.clip(0.4 + 4 * soft, 0, 1)
        self._glow = np.exp(-((np.hypot(y - fy, x - fx) / 0.45) ** 2))

    def _ways(self) -> list[np.ndarray]:
        """Five ways of moving, all still at the edges: away from the focal point (down, right), and three waves.

        Waves bend what is loose: straight lines, letters and faces only come nearer as they are.
        """
        fy, fx = focus_of(self.content.pixels)
        y, x = np.mgrid[0:_GRID, 0:_GRID].astype(np.float32) / (_GRID - 1)
        edge = np.clip(np.minimum(np.minimum(y, 1 - y), np.minimum(x, 1 - x)) * 8, 0, 1)
        turns = ((1.3, 0.6, 0.1), (-0.7, 1.2, 0.4), (0.8, -1.4, 0.7))
        waves = [np.sin(2 * np.pi * (a * x + b * y + c)) for a, b, c in turns]
        loose = edge * looseness(self.content.pixels, _GRID)
        return [edge * (y - fy), edge * (x - fx), *(loose * wave for wave in waves)]

    def _even_light(self, level: np.ndarray) -> np.ndarray:
        """Large light evened out and detail kept, so that the sound can be the light; in [0, 1]."""
        rows, columns = level.shape
        small = shrink(level, min(rows, 128), min(columns, 128))
        base = stretch(guided(small, small, max(small.shape) / 10, 0.02), rows, columns)
        lit = 0.47 + _KEEP * (base - 0.5) + _FINE * (level - base) + self._spot(base)
        return np.asarray(np.clip(lit, 0, 1), np.float32)

    def _spot(self, base: np.ndarray) -> np.ndarray:
        """One lamp near the focal point, hung where the content is not bright already, so that it lights something new."""
        fy, fx = focus_of(self.content.pixels)
        y, x = np.linspace(0, 1, base.shape[0])[:, None], np.linspace(0, 1, base.shape[1])[None]
        best, lamp = np.inf, base
        for down in (0.0, -0.25, 0.25):
            for right in (0.0, -0.3, 0.3):
                ly, lx = np.clip(fy + down, 0.15, 0.85), np.clip(fx + right, 0.1, 0.9)
                lit = np.exp(-((y - ly) ** 2 + (x - lx) ** 2) / 0.18)
                alike = float(np.mean((lit - lit.mean()) * (base - base.mean())) / (lit.std() * base.std() + 1e-3))
                score = alike + 0.8 * float(np.hypot(ly - fy, lx - fx))
                if score < best:
                    best, lamp = score, lit
        return np.asarray(_SPOT * (lamp * np.clip(1.3 - 1.1 * base, 0.2, 1) - 0.4), np.float32)

    def _palette(self, picture: np.ndarray) -> None:
        sample = oklab(shrink(picture, self.solve, self.solve)).reshape(-1, 3)
        target = quantiles(sample, self._bases)
        self._target = target if not self._target.size else self._target + np.float32(0.2) * (target - self._target)
        moved = transport(self._points, self._target, self._bases)
        gain = np.array([0.75, 1, 1], np.float32) * np.float32(self.strength)
        drawn = self._points + gain * (moved - self._points)
        drawn[:, 0] = _legible(drawn[:, 0])
        drawn[:, 1:] *= 1 + _VIVID * self.strength
        self._goal = table(*self._where, drawn)
        if not self._table.size:
            self._table = self._goal.copy()

    def _draw(self, moment: Moment) -> np.ndarray:
        rows, columns = self.content.size
        # whole frames since the beat's own: a first frame that is held for a part of one stutters, which is seen as two beats
        since = max(0.0, np.ceil(moment.beat * self._fps - 1e-6) - 1) / self._fps
        beat, glide = (moment.energy * moment.strength * float(np.exp(-since / fade)) for fade in _FADES)
        energy = self._flow.step(moment, glide)
        if self._strokes is not None:
            self._strokes.step(moment, glide, fresh=moment.beat < 1 / self._fps)
        self._phase += (0.04 * moment.energy + _GLIDE * glide) / self._fps
        flowing = _FLOWING * (_CALM + (1 - _CALM) * moment.energy)
        light = self.light * self._room * (flowing * energy + _BLOOM * beat * self._glow)
        shade = np.float32(self.light * _TINT) * self._flow.warmth()
        turn = 2 * np.pi * self._phase
        cos, sin, punch = _SWAY * np.cos(turn), _SWAY * np.sin(turn), -_PUNCH * beat
        down, right = (
            [self.push * part for part in parts] for parts in ((punch, 0, cos, sin, 0), (0, punch, 0, cos, sin))
        )
        frame = np.empty((rows, columns, 3), np.uint8)
        colours = packed(self._table * np.float32(moment.light))
        # what sounds now is a shade of colour that leaves the luma alone, so that only beats flicker
        compiled(draw_still)(
            *self._plate.ground(), *self._plate.ways(down, right), *taps(SIDE, rows), widen(light, columns),
            widen(shade, columns), np.float32(-PAD), np.float32(0.75 * PAD), colours, _WARM, frame, 0, rows,
        )  # fmt: skip
        return frame


def _legible(light: np.ndarray) -> np.ndarray:
    """Lightness with a mean of at least 0.4 and a spread from 0.2 to 0.26: a dark or flat style still shows the content."""
    light = np.clip(light, 0, 1)
    light = light + 4 * max(0.0, 0.4 - float(light.mean())) * light * (1 - light)
    middle, spread = float(light.mean()), float(light.std())
    return np.asarray(middle + (light - middle) * np.clip(spread, 0.2, 0.26) / max(spread, 0.1), np.float32)
