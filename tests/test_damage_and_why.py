"""Damaged copies score below their originals; held tones fail; `why` tells what a record holds."""

import io
import json

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageEnhance, ImageFilter

from spectrogrand import Audio, Image, build
from spectrogrand.errors import ConfigError
from spectrogrand.report.why import explain
from spectrogrand.testing import check_gate

RATE = 11025


def picture(seed=0, side=256):
    """Smooth shapes, some edges, a little texture."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    ground = np.stack([0.3 + 0.4 * y, 0.4 + 0.2 * x, 0.6 - 0.3 * y], axis=2)
    for _ in range(8):
        cx, cy, r = rng.uniform(0.1, 0.9, 2).tolist() + [rng.uniform(0.05, 0.2)]
        ground[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = rng.uniform(0.1, 0.9, 3)
    ground += 0.02 * np.sin(40 * x + 60 * y)[..., None]
    return Image((255 * ground.clip(0, 1)).astype(np.uint8))


def jpeg(p, quality):
    data = io.BytesIO()
    p.save(data, "JPEG", quality=quality)
    return Pillow.open(data).convert("RGB")


def noisy(p):
    a = np.asarray(p, float) + np.random.default_rng(1).normal(0, 15, (*p.size[::-1], 3))
    return Pillow.fromarray(a.clip(0, 255).astype(np.uint8))


def half(p):
    a = np.asarray(p).copy()
    a[:, p.width // 2 :] = 120
    return Pillow.fromarray(a)


DAMAGE = {
    "noise": noisy, "jpeg": lambda p: jpeg(p, 10), "sharpened": lambda p: p.filter(ImageFilter.UnsharpMask(2, 300, 0)),
    "saturated": lambda p: ImageEnhance.Color(p).enhance(4.0), "half": half,
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_the_original_is_preferred(name):
    scorer = build("scorers", "finish")
    for seed in range(3):
        whole = picture(seed)
        broken = Image(np.asarray(DAMAGE[name](Pillow.fromarray(whole.pixels))))
        before, after = scorer.score([whole, broken])
        assert after < before


def test_a_flat_picture_is_damaged_and_a_whole_one_is_not():
    gate = build("gates", "damaged_picture")
    assert gate.check([Image(np.full((64, 64, 3), 90, np.uint8))]) == ["is damaged by flat areas (0.75, at most 0.6)"]
    assert gate.check([picture()]) == [None]


def text(side=256, lines=14, dark=False):
    """Lines of small strokes, as print has them."""
    from PIL import ImageDraw, ImageFont

    p = Pillow.new("RGB", (side, side), (20,) * 3 if dark else (245,) * 3)
    drawing, font = ImageDraw.Draw(p), ImageFont.load_default(side // 24)
    rng = np.random.default_rng(0)
    for k in range(lines):
        words = "".join(rng.choice(list("etaoinshrdlu   "), 40))
        drawing.text(
            (side // 20, side // 20 + k * side // 16), words, fill=(230,) * 3 if dark else (10,) * 3, font=font
        )
    return Image(np.asarray(p))


def tiled(p, n=4):
    a, s = np.asarray(p), p.width // n
    order = np.random.default_rng(0).permutation(n * n)
    pieces = [a[i // n * s : i // n * s + s, i % n * s : i % n * s + s] for i in order]
    return Pillow.fromarray(np.vstack([np.hstack(pieces[k * n : k * n + n]) for k in range(n)]))


GROSS = {
    "noise": lambda p: noisy(noisy(p)), "compression blocks": lambda p: jpeg(p, 5),
    "cut-off colours": lambda p: ImageEnhance.Color(p).enhance(9.0),
    "an empty band": half, "tiles": lambda p: tiled(Pillow.fromarray(busy(0, (6, 12, 20)).pixels)),
    "over-sharpening": lambda p: Pillow.fromarray(busy(0).pixels).filter(ImageFilter.UnsharpMask(2, 700, 0)),
}  # fmt: skip


def busy(seed, sizes=(1.2, 3, 8, 20), side=256):
    """Texture everywhere: brown noise in three colours."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    x = sum(gaussian_filter(rng.normal(size=(side, side, 3)), (s, s, 0)) * s for s in sizes)
    return Image((255 * ((x - x.min()) / np.ptp(x))).astype(np.uint8))


@pytest.mark.parametrize("name", GROSS)
def test_gross_damage_fails_by_its_name(name):
    reason = build("gates", "damaged_picture").check(
        [Image(np.asarray(GROSS[name](Pillow.fromarray(picture().pixels))))]
    )[0]
    assert reason and reason.startswith(f"is damaged by {name}")


def test_textured_pictures_pass():
    assert build("gates", "damaged_picture").check([busy(0), busy(1), picture(1)]) == [None] * 3


def test_a_page_of_text_fails_and_a_title_passes():
    gate = build("gates", "text_page")
    page, night, title = text(), text(512, dark=True), text(lines=3)
    reasons = gate.check([page, night, title, picture(), Image(np.rot90(page.pixels).copy())])
    assert [r and r[:17] for r in reasons] == ["is a page of text"] * 2 + [None, None, "is a page of text"]
    check_gate(lambda: build("gates", "text_page"), [page, picture(), Image(np.zeros((3, 5, 3), np.uint8))])


def test_held_tones_fail_and_a_melody_passes():
    t = np.arange(6 * RATE) / RATE

    def sound(x):
        return Audio((0.2 * x).astype(np.float32)[None], RATE)

    tone, hum = np.sin(2 * np.pi * 440 * t), sum(np.sin(2 * np.pi * 50 * k * t) / k for k in range(1, 8))
    melody = np.sin(2 * np.pi * np.cumsum(220 * 2 ** ((t * 4).astype(int) * 7 % 12 / 12)) / RATE)
    reasons = build("gates", "tone").check([sound(tone), sound(hum), sound(melody)])
    assert all(r and r.startswith("is a held tone") for r in reasons[:2]) and reasons[2] is None
    check_gate(lambda: build("gates", "tone"), [sound(tone), sound(melody), sound(0 * t), sound(tone[:40])])


def test_why_tells_scores_failures_and_noise(tmp_path):
    rows = [
        {"index": 0, "failed": None, "scores": {"a": 0.5}, "used": {"a": 1.0}, "total": 1.0},
        {"index": 1, "failed": "is silent", "scores": {"a": None}, "used": {"a": None}, "total": None},
    ]
    choice = {"why": "candidate 0 is the only one left", "chosen": 0, "candidates": rows, "noise": 0.1, "margin": 0.2,
              "scorers": {"a": {"aspect": "value", "weight": 2.0, "reference": {"name": "songs", "count": 7}}}}  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps({"choices": {"song": choice}}))
    assert explain(tmp_path).splitlines() == [
        "song: candidate 0 is the only one left",
        "  a (value, weight 2, against 7 songs)",
        "* candidate 0: total 1.000 (a 0.500 -> 1.000)",
        "  candidate 1: failed: it is silent (a - -> -)",
        "  lead 0.200, its noise 0.100",
    ]
    with pytest.raises(ConfigError, match="no readable run.json"):
        explain(tmp_path / "nowhere")
