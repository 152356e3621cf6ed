"""The morph: its ends are the pictures, what lies between travels and is no cross-fade, two pictures at a time."""

import weakref
from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import build
from spectrogrand.engines.morph.correspondence import pairs
from spectrogrand.engines.morph.morphing import Morph
from spectrogrand.errors import InvalidValue
from spectrogrand.types import Image
from spectrogrand.walks.storyboard import Walk

SIDE = 128


def disc(x, colour=(240, 200, 120), ground=(20, 30, 60)):
    row, column = np.mgrid[:SIDE, :SIDE] / SIDE
    out = np.full((SIDE, SIDE, 3), ground, np.uint8)
    out[(column - x) ** 2 + (row - 0.5) ** 2 < 0.02] = colour
    return out


def rough(seed):
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(0, 255, (8, 8, 3)), np.ones((16, 16, 1))).astype(np.uint8)


def frames(positions, pictures, **settings):
    made = build("generators", {"name": "morph", "size": SIDE, **settings})
    return list(made.generate([Walk(pictures, np.asarray(positions, float), Fraction(10))], [3])[0])


def test_at_whole_positions_it_is_the_picture_itself():
    pictures = [Image(rough(k)) for k in range(4)]
    shown = frames([0, 0.4, 1, 1.7, 2, 2.5, 3], pictures)
    for at, k in ((0, 0), (2, 1), (4, 2), (6, 3)):
        assert np.array_equal(shown[at], pictures[k].pixels)
    assert all(not np.array_equal(shown[k], shown[k + 1]) for k in range(6))


def test_it_leaves_and_arrives_without_a_jump():
    a, b = rough(0), rough(1)
    morph = Morph(a, b, (SIDE, SIDE))
    for near, end in ((morph.draw(0.004), a), (morph.draw(0.996), b)):
        assert np.abs(near.astype(int) - end).mean() < 12
    steps = [morph.draw(t).astype(int) for t in np.linspace(0, 1, 41)]
    changes = [np.abs(x - y).mean() for x, y in zip(steps, steps[1:], strict=False)]
    assert max(changes) < 6 * np.median(changes)


def test_what_lies_between_travels():
    """A disc goes from left to right: half way it is in the middle, where neither picture has anything."""
    morph = Morph(disc(0.3), disc(0.7), (SIDE, SIDE), turbulence=0.0)
    middle = morph.draw(0.5)[..., 0].astype(int)
    assert middle[56:72, 56:72].mean() > 150
    fade = (disc(0.3)[..., 0].astype(int) + disc(0.7)[..., 0]) // 2
    assert fade[56:72, 60:68].mean() < 100


@pytest.mark.parametrize("t", [0.25, 0.5, 0.75])
def test_it_is_no_cross_fade(t):
    """No mixture of the two pictures, whatever its share, comes near it."""
    a, b = (x.astype(float) for x in (rough(5), rough(6)))
    shown = Morph(a.astype(np.uint8), b.astype(np.uint8), (SIDE, SIDE)).draw(t).astype(float)
    apart = min(np.abs((1 - share) * a + share * b - shown).mean() for share in np.linspace(0, 1, 21))
    assert apart > 0.25 * np.abs(a - b).mean()


def test_equal_pictures_stay_where_they_are():
    found = pairs(rough(2), rough(2))
    assert np.abs(found.end - found.start).max() < 0.05
    shown = Morph(rough(2), rough(2), (SIDE, SIDE), turbulence=0.0).draw(0.5)
    assert np.abs(shown.astype(int) - rough(2)).mean() < 6


def test_every_patch_goes_somewhere_and_each_place_is_filled():
    found = pairs(rough(1), rough(4), grid=12)
    assert found.start.shape == found.end.shape == (288, 2) and (found.weight > 0).all()
    assert found.end.min() >= 0 and found.end.max() <= 1
    cost = np.square(found.end - found.start).sum(1).mean()
    shuffled = np.square(np.random.default_rng(0).permutation(found.end) - found.start).sum(1).mean()
    assert cost < 0.7 * shuffled


def test_colours_half_way_are_no_grey():
    """Red becomes blue through the colours between, not through the grey of their mean."""
    red, blue = (np.full((SIDE, SIDE, 3), c, np.uint8) for c in ((230, 20, 20), (20, 20, 230)))
    middle = Morph(red, blue, (SIDE, SIDE)).draw(0.5).reshape(-1, 3).astype(int)
    assert np.ptp(middle, axis=1).mean() > 60


def test_pictures_are_read_as_they_are_needed_and_let_go():
    alive = []

    class Lazy(list):
        def __len__(self):
            return 6

        def __getitem__(self, k):
            picture = Image(rough(k))
            alive.append(weakref.ref(picture.pixels))
            return picture

    most = 0
    made = build("generators", {"name": "morph", "size": 32})
    for _ in made.generate([Walk(Lazy(), np.linspace(0, 5, 30), Fraction(10))], [0])[0]:
        most = max(most, sum(r() is not None for r in alive))
    assert most <= 2


def test_one_picture_stands_still():
    shown = frames([0, 0, 0], [Image(rough(0))])
    assert all(np.array_equal(p, rough(0)) for p in shown)


def test_other_shapes_and_one_pixel():
    made = build("generators", {"name": "morph", "size": [24, 40]})
    tiny = Image(np.full((1, 1, 3), 7, np.uint8))
    walk = Walk([tiny, Image(rough(1))], np.array([0.0, 0.5, 1.0]), Fraction(5))
    assert [p.shape for p in made.generate([walk], [0])[0]] == [(24, 40, 3)] * 3


@pytest.mark.parametrize(
    "wrong", [{"size": 1}, {"size": [4, 4, 4]}, {"flow": 2}, {"turbulence": -1}, {"turbulence": True}]
)
def test_settings_out_of_range_are_named(wrong):
    with pytest.raises(InvalidValue, match=f"morph takes {next(iter(wrong))}"):
        build("generators", {"name": "morph", **wrong})


@pytest.mark.parametrize("positions", [[0, 3], [1, 0], [np.nan], [], [-0.1, 0]])
def test_a_walk_that_leaves_its_pictures_is_refused(positions):
    with pytest.raises(InvalidValue, match="positions"):
        Walk([Image(rough(0))] * 3, np.asarray(positions, float), Fraction(10))
