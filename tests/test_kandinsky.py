"""Kandinsky and the latent walk on tiny random checkpoints: what they were given, and what comes of it."""

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import preflights
import pytest
import tiny_visuals

from spectrogrand import CoverBrief, build
from spectrogrand.errors import ConfigError, InvalidValue, MissingExtra
from spectrogrand.plugins.generators.pictures.kandinsky import blend
from spectrogrand.plugins.generators.videos.latent_walk import slerp
from spectrogrand.types import Image
from spectrogrand.walks.storyboard import Keyframe, Walk


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    place = tmp_path_factory.mktemp("visuals")
    for name in ("kandinsky", "latent_walk"):
        tiny_visuals.folder(place, name)
    return str(place)


def picture(seed, size=40):
    return Image(np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8))


def kandinsky(weights, **settings):
    small = {"prior_steps": 2, "steps": 2, "size": 64, "negative_prompt": "ugly"}
    return build("generators", {"name": "kandinsky", "weights": weights, **small, **settings})


BOTH = Keyframe("Calm music.", "folk", "folk art", (picture(0), picture(1)))
BARE = Keyframe("Calm music.", None, None, (picture(0),))


def test_the_published_weights():
    assert blend(Keyframe("a", "folk", "b", (picture(0),)))[1] == [0.0, 0.7, 0.3]
    assert blend(BARE)[1] == [0.3, 0.7]
    assert blend(BOTH)[1] == [0.0, 0.35, 0.35, 0.3]
    assert blend(Keyframe("a"))[1] == [1.0]
    for keyframe in (BOTH, BARE, Keyframe("a"), Keyframe("a", "b", "c")):
        conditions, shares = blend(keyframe)
        assert len(conditions) == len(shares) and abs(sum(shares) - 1) < 1e-12


def test_the_shares_are_settings(weights, monkeypatch):
    assert blend(BOTH, caption=0.2, movement=0.4, artworks=[3, 1])[1] == pytest.approx([0.2, 0.3, 0.1, 0.4])
    assert blend(BARE, artworks=[5.0])[1] == pytest.approx([0.3, 0.7])
    assert blend(Keyframe("a", "b", "c"), movement=1.0)[1] == [0.0, 1.0]
    made = kandinsky(weights, caption_weight=0.1, movement_weight=0.5, artwork_weights=[1, 3])
    prior, _ = made.model()
    seen, interpolate = [], type(prior).interpolate
    monkeypatch.setattr(
        type(prior), "interpolate", lambda self, *a, **k: seen.append(a[1]) or interpolate(self, *a, **k)
    )
    made.generate([BOTH], [0])
    assert seen[0] == pytest.approx([0.1, 0.1, 0.3, 0.5])
    with pytest.raises(InvalidValue, match="got 2 artwork_weights for 1 artworks"):
        made.generate([BARE], [0])
    for wrong, said in (
        ({"movement_weight": 1.2}, "movement_weight"), ({"caption_weight": 0.8, "movement_weight": 0.3}, "from 0.0 to 0.1"),
        ({"artwork_weights": [0, 0]}, "one at least is above 0"), ({"artwork_weights": "3,1"}, "a list of numbers"),
        ({"artwork_weights": [1, -1]}, r"artwork_weights\[1\]"),
    ):  # fmt: skip
        with pytest.raises(InvalidValue, match=said):
            kandinsky(weights, **wrong)


def test_prior_and_decoder_get_what_the_keyframe_says(weights, monkeypatch):
    made = kandinsky(weights, prior_steps=3, steps=2, guidance=6.0, prior_guidance=3.0)
    prior, decoder = made.model()
    blends, drawn = [], {}
    interpolate, call = type(prior).interpolate, type(decoder).__call__
    monkeypatch.setattr(
        type(prior), "interpolate", lambda self, *a, **k: blends.append((a, k)) or interpolate(self, *a, **k)
    )
    monkeypatch.setattr(type(decoder), "__call__", lambda self, **k: drawn.update(k) or call(self, **k))
    made.generate([BOTH, BARE], [11, 12])
    (conditions, shares), options = blends[0]
    assert conditions[0] == "Calm music." and conditions[-1] == "folk art" and shares == [0.0, 0.35, 0.35, 0.3]
    assert [np.array_equal(np.asarray(c), a.pixels) for c, a in zip(conditions[1:3], BOTH.artworks, strict=True)] == [
        True,
        True,
    ]
    assert (options["num_inference_steps"], options["guidance_scale"], options["negative_prompt"]) == (3, 3.0, "ugly")
    assert blends[1][0][1] == [0.3, 0.7] and [b[1]["generator"].initial_seed() for b in blends] == [11, 12]
    assert [g.initial_seed() for g in drawn["generator"]] == [11, 12]
    assert (drawn["height"], drawn["width"], drawn["guidance_scale"], drawn["num_inference_steps"]) == (64, 64, 6.0, 2)
    assert drawn["image_embeds"].shape == drawn["negative_image_embeds"].shape == (2, 16)


def test_the_blend_is_the_weighted_sum_of_embeddings(weights):
    """Two artworks and no text that counts: their image embeddings by the encoder itself, 0.35 each, plus 0.3 of the movement."""
    import torch

    made = kandinsky(weights)
    prior, _ = made.model()
    conditions, shares = blend(BOTH)
    out = prior.interpolate(
        conditions, shares, num_inference_steps=2, generator=torch.Generator().manual_seed(5)
    ).image_embeds
    generator, total = torch.Generator().manual_seed(5), 0
    for condition, share in zip(conditions, shares, strict=True):
        if isinstance(condition, str):
            embedding = prior(condition, num_inference_steps=2, generator=generator).image_embeds
        else:
            pixels = prior.image_processor(condition, return_tensors="pt").pixel_values
            embedding = prior.image_encoder(pixels).image_embeds
        total = total + share * embedding
    assert torch.allclose(out, total, atol=1e-5)


def test_every_part_of_a_keyframe_matters(weights, monkeypatch):
    """What reaches the decoder: a movement's share of a tiny prior is less than a pixel's step."""
    given = []

    def drawn(keyframe, seed, **settings):
        made = kandinsky(weights, **settings)
        _, decoder = made.model()
        call = type(decoder).__call__
        with monkeypatch.context() as patch:
            patch.setattr(type(decoder), "__call__", lambda self, **k: given.append(k) or call(self, **k))
            pixels = made.generate([keyframe], [seed])[0].pixels
        return pixels, given[-1]["image_embeds"].numpy()

    base, embedding = drawn(BOTH, 1)
    assert np.array_equal(drawn(BOTH, 1)[0], base)
    others = {
        "seed": (BOTH, 2), "artwork": (Keyframe("Calm music.", "folk", "folk art", (picture(0), picture(2))), 1),
        "movement": (Keyframe("Calm music.", "folk", "pop art", BOTH.artworks), 1),
    }  # fmt: skip
    for what, (keyframe, seed) in others.items():
        pixels, other = drawn(keyframe, seed)
        assert np.abs(other - embedding).max() > 1e-5, what
        assert what == "movement" or not np.array_equal(pixels, base), what
    drawn(BOTH, 1, negative_prompt="lovely")
    assert not np.array_equal(given[-1]["negative_image_embeds"].numpy(), given[-2]["negative_image_embeds"].numpy())


def test_an_artwork_of_one_pixel_is_drawn(weights):
    assert kandinsky(weights).generate([Keyframe("a", None, None, (picture(0, 1),))], [0])[0].size == (64, 64)


def test_what_is_missing_or_wrong_is_one_line(tmp_path):
    made = build("generators", {"name": "kandinsky", "weights": str(tmp_path)})
    with pytest.raises(MissingExtra, match="spectrogrand fetch kandinsky"):
        made.generate([BARE], [0])
    with pytest.raises(ConfigError, match="multiples of 64"):
        build("generators", {"name": "kandinsky", "size": 100})
    with pytest.raises(InvalidValue, match="kandinsky takes steps"):
        build("generators", {"name": "kandinsky", "steps": 0})


def test_any_cover_model_that_has_a_prior_is_drawn_with_it(weights, tmp_path, monkeypatch):
    """diffusers_image with Kandinsky's decoder: the library's own pipeline of both."""
    from diffusers import KandinskyV22PriorPipeline

    for name, copy in (("kandinsky_decoder", "diffusers_image"), ("kandinsky_prior", "diffusers_image_prior")):
        shutil.copytree(Path(weights) / name, tmp_path / copy)
    model = {"name": "diffusers_image", "steps": 2, "guidance": 4.0, "size": 64}
    known = {**model, "model": "kandinsky-community/kandinsky-2-2-decoder"}
    found = preflights.check({"cover": {**known, "weights": str(tmp_path)}})
    assert [Path(n.here).name for n in found] == ["diffusers_image", "diffusers_image_prior"]
    heard, true = [], KandinskyV22PriorPipeline.__call__
    monkeypatch.setattr(KandinskyV22PriorPipeline, "__call__", lambda *a, **o: heard.append(o) or true(*a, **o))
    part = build("generators", {**known, "weights": str(tmp_path), "scheduler": "DDIMScheduler"})
    briefs = [CoverBrief("a city", "bass", c, "ascends") for c in ("black", "purple")]
    covers = part.generate(briefs, [3, 4])
    assert heard[0]["prompt"] == [b.prompt for b in briefs] and [c.size for c in covers] == [(64, 64)] * 2
    alone = part.generate(briefs[1:], [4])[0].pixels.astype(int)
    assert np.abs(covers[1].pixels - alone).max() <= 5 and np.abs(covers[0].pixels - alone).max() > 20
    assert type(part.model().decoder_pipe.scheduler).__name__ == "DDIMScheduler" and "prior" in part.identity()
    with pytest.raises(ConfigError, match="cover: .* draws what a prior makes of the prompt: set prior=OWNER/NAME"):
        preflights.check({"cover": {**model, "weights": str(tmp_path)}})
    monkeypatch.setenv("SPECTROGRAND_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "none"))
    with pytest.raises(MissingExtra, match="fetch diffusers_image model=kandinsky-community/kandinsky-2-2-decoder -"):
        preflights.check({"cover": {**known, "weights": str(tmp_path / "diffusers_image")}})


# -- the latent walk -------------------------------------------------------------------------------------------------------


def walk(weights, positions, **settings):
    made = build("generators", {"name": "latent_walk", "weights": weights, "size": 32, **settings})
    pictures = [picture(k) for k in range(4)]
    return list(made.generate([Walk(pictures, np.asarray(positions, float), Fraction(30))], [0])[0])


def test_at_whole_positions_it_is_the_picture_through_the_autoencoder(weights):
    import torch
    from diffusers import AutoencoderKL

    model = AutoencoderKL.from_pretrained(Path(weights) / "latent_walk").eval()
    shown = walk(weights, [0, 1, 2.5, 3])
    for at, k in ((0, 0), (1, 1), (3, 3)):
        pixels = torch.from_numpy(picture(k).resized(32, 32).pixels.copy()).permute(2, 0, 1)[None] / 127.5 - 1
        with torch.inference_mode():
            theirs = model.decode(model.encode(pixels).latent_dist.mode()).sample[0].permute(1, 2, 0).numpy()
        assert np.abs(shown[at].astype(float) - np.clip(theirs * 127.5 + 127.5, 0, 255)).max() <= 1


def test_between_it_goes_along_the_sphere(weights):
    """An independent derivation: scipy's geometric slerp of the unit vectors, lengths mixed as slerp mixes them."""
    import torch
    from diffusers import AutoencoderKL
    from scipy.spatial import geometric_slerp

    model = AutoencoderKL.from_pretrained(Path(weights) / "latent_walk").eval()
    ends = []
    for k in (2, 3):
        pixels = torch.from_numpy(picture(k).resized(32, 32).pixels.copy()).permute(2, 0, 1)[None] / 127.5 - 1
        with torch.inference_mode():
            ends.append(model.encode(pixels).latent_dist.mode()[0] * model.config.scaling_factor)
    a, b = (e.numpy().ravel().astype(np.float64) for e in ends)
    unit = geometric_slerp(a / np.linalg.norm(a), b / np.linalg.norm(b), [0.3])[0]
    ours = slerp(*ends, 0.3).numpy().ravel()
    assert np.allclose(np.cross(ours[:3], ours[:3]), 0) and ours @ a > 0
    angle = np.arccos(unit @ (a / np.linalg.norm(a))) / np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    whole = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    expected = (np.sin(0.7 * whole) * a + np.sin(0.3 * whole) * b) / np.sin(whole)
    assert abs(angle - 0.3) < 1e-6 and np.abs(ours - expected).max() < 1e-4
    assert np.allclose(slerp(torch.tensor([1.0, 0.0]), torch.tensor([2.0, 0.0]), 0.25), [1.25, 0.0])


def test_how_many_frames_are_decoded_at_once_hardly_matters(weights):
    at = np.linspace(0, 3, 11)
    one, five = walk(weights, at, frames_at_once=1), walk(weights, at, frames_at_once=5)
    assert len(one) == 11 and max(np.abs(a.astype(int) - b).max() for a, b in zip(one, five, strict=True)) <= 1


def test_frames_that_do_not_fit_are_decoded_one_by_one(weights, monkeypatch):
    made = build("generators", {"name": "latent_walk", "weights": weights, "size": 32, "frames_at_once": 4})
    model, calls = made.model(), []
    real = model.decode

    def small(latents):
        calls.append(len(latents))
        if len(latents) > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return real(latents)

    monkeypatch.setattr(model, "decode", small)
    shown = list(made.generate([Walk([picture(0), picture(1)], np.linspace(0, 1, 4), Fraction(5))], [0])[0])
    assert len(shown) == 4 and calls == [4, 2, 1, 1, 2, 1, 1]


def test_one_picture_and_no_weights(weights, tmp_path):
    made = build("generators", {"name": "latent_walk", "weights": weights, "size": 32})
    shown = list(made.generate([Walk([picture(0)], np.zeros(3), Fraction(5))], [0])[0])
    assert np.array_equal(shown[0], shown[2])
    with pytest.raises(MissingExtra, match="spectrogrand fetch latent_walk"):
        build("generators", {"name": "latent_walk", "weights": str(tmp_path)}).generate(
            [Walk([picture(0)], np.zeros(1), Fraction(5))], [0]
        )
