"""Cover scorers and gates: statistics with known answers, real covers above damaged ones, nothing blank or noisy gets through."""

import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from scipy.ndimage import gaussian_filter
from scipy.stats import multivariate_t

from spectrogrand import CoverBrief, Image, build
from spectrogrand.errors import InvalidValue, MediaError
from spectrogrand.image.statistics import NAMES, colourfulness, prepare, spectral_slope, statistics
from spectrogrand.plugins.gates.blank_picture import residual
from spectrogrand.plugins.gates.noise_picture import neighbour_correlation
from spectrogrand.plugins.scorers.aesthetics import WISHES, value
from spectrogrand.plugins.scorers.cover_surprise import surprise
from spectrogrand.references.covers import SHIPPED
from spectrogrand.testing import check_gate, check_scorer

T = np.arange(256)


def image(array):
    return Image(np.ascontiguousarray(np.broadcast_to(np.asarray(array), (256, 256, 3)), dtype=np.uint8))


def grey(plane):
    return image(np.asarray(plane)[..., None])


def found(picture):
    return dict(zip(NAMES, statistics(picture), strict=True))


CHECKERBOARD = grey((T[:, None] + T) % 2 * 255)
GRADIENT = grey(np.broadcast_to(T, (256, 256)))
COLOUR_GRADIENT = image(np.stack(np.broadcast_arrays(T, T[:, None], 255 - T), -1))
BLANK = {level: image(level) for level in (0, 128, 255)}


def static(seed=0, size=256):
    return Image(np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8))


def natural(exponent, seed=0):
    """Grey noise whose power falls with frequency to the power of `exponent`."""
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256)[None])
    frequency[0, 0] = 1
    spectrum = np.fft.rfft2(np.random.default_rng(seed).standard_normal((256, 256))) * frequency ** (-exponent / 2)
    spectrum[0, 0] = 0
    x = np.fft.irfft2(spectrum, (256, 256))
    return 0.5 + 0.12 * x / x.std()


@pytest.fixture(scope="module")
def covers(shared):
    paths = sorted((shared / "data" / "covers_sdxl").glob("*/*.jpg"))
    assert len(paths) == 334
    return [Image(np.asarray(Picture.open(p).convert("RGB"))) for p in paths]


@pytest.fixture(scope="module")
def painted():
    generator = build("generators", {"name": "procedural_cover", "size": 256})
    briefs = [
        CoverBrief(t, "bass", c, "stuns")
        for t, c in (("the sea", "purple"), ("robots", "black"), ("a city", "red"), ("love", "green"))
    ]
    return generator.generate(briefs, [0, 1, 2, 3])


# --- statistics -------------------------------------------------------------------------------------------------------


def test_a_constant_picture_has_nothing():
    for level, picture in BLANK.items():
        got = found(picture)
        for name in (
            "colourfulness",
            "contrast",
            "chroma",
            "edge_density",
            "edge_entropy",
            "fractal",
            "symmetry",
            "blockiness",
            "slope",
        ):
            assert got[name] == pytest.approx(0, abs=1e-6), (level, name)
        assert got["calm"] == 1 and got["sharpness"] == pytest.approx(-8)
    assert found(BLANK[255])["lightness"] == pytest.approx(1, abs=1e-6)
    assert found(BLANK[128])["lightness"] == pytest.approx(0.5999, abs=1e-3)  # OKLab of sRGB grey 128


def test_a_checkerboard_and_stripes():
    board = found(CHECKERBOARD)
    assert board["lightness"] == pytest.approx(0.5, abs=1e-6) and board["contrast"] == pytest.approx(0.5, abs=1e-6)
    assert board["sharpness"] == pytest.approx(np.log10(16), abs=1e-3)  # the Laplacian is +-4 everywhere
    stripes = found(grey(np.broadcast_to(T // 8 % 2 * 255, (256, 256))))
    assert stripes["edge_entropy"] == pytest.approx(0, abs=1e-9)  # one orientation
    assert stripes["symmetry"] == pytest.approx(-1)  # the mirror of 16 pairs of stripes swaps black and white
    assert stripes["blockiness"] == 10  # steps on the 8-pixel grid only
    assert stripes["fractal"] == pytest.approx(2, abs=0.25)


def test_a_disc_has_every_orientation_and_a_line_for_an_edge():
    disc = np.hypot(T[:, None] - 127.5, T - 127.5) < 80
    got = found(grey(disc * 200))
    assert got["edge_entropy"] > 0.97 and got["symmetry"] == pytest.approx(1)
    assert got["fractal"] == pytest.approx(1, abs=0.15)
    assert got["thirds"] == pytest.approx(1, abs=0.01)  # in the middle


def test_thirds_find_a_spot():
    spot = np.zeros((256, 256))
    spot[70:100, 70:100] = 255
    assert found(grey(spot))["thirds"] > 0.95
    corner = np.zeros((256, 256))
    corner[:24, :24] = 255
    assert found(grey(corner))["thirds"] < 0.7


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0])
def test_slope_recovers_the_exponent(exponent):
    slopes, fits = zip(*(spectral_slope(natural(exponent, seed)) for seed in range(8)), strict=True)
    assert np.mean(slopes) == pytest.approx(-exponent, abs=0.1) and max(fits) < 0.2


def test_colourfulness_agrees_with_an_independent_implementation(rng):
    def hasler(picture):  # Hasler & Suesstrunk 2003, as printed: sqrt of summed squares
        r, g, b = picture[..., 0] * 1.0, picture[..., 1] * 1.0, picture[..., 2] * 1.0
        alpha, beta = r - g, 0.5 * (r + g) - b
        spread = np.sqrt(np.var(alpha) + np.var(beta))
        return spread + 0.3 * np.sqrt(np.mean(alpha) ** 2 + np.mean(beta) ** 2)

    for _ in range(3):
        picture = rng.integers(0, 256, (40, 30, 3))
        assert colourfulness(picture / 255) * 100 == pytest.approx(hasler(picture))
    red = np.zeros((4, 4, 3))
    red[..., 0] = 1
    assert colourfulness(red) == pytest.approx(0.3 * np.hypot(255, 127.5) / 100)


def test_harmony_of_hues():
    wheel = found(_hues([0, 120, 240]))
    pair = found(_hues([30, 210]))
    assert pair["hue_harmony"] == pytest.approx(1)
    # template Y reaches 47 + 9 degrees: of three hues 120 apart, one lies in the wide sector, the next 9 and 51 outside it
    assert 0.90 < wheel["hue_harmony"] < 0.96
    assert wheel["hue_entropy"] == pytest.approx(np.log(3) / np.log(36), abs=0.06)


def _hues(degrees):
    from spectrogrand.image.inks import lch

    picture = np.zeros((256, 256, 3), np.uint8)
    for k, hue in enumerate(degrees):
        linear = lch(0.7, 0.1, hue)
        srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        picture[:, k * 256 // len(degrees) : (k + 1) * 256 // len(degrees)] = np.rint(srgb * 255)
    return Image(picture)


def test_statistics_of_strange_shapes_are_finite():
    for shape in ((1, 1), (1, 500), (700, 3), (257, 255)):
        picture = Image(np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8))
        assert np.isfinite(statistics(picture)).all() and prepare(picture).shape == (256, 256, 3)


# --- aesthetics -------------------------------------------------------------------------------------------------------


def test_scorers_keep_the_contract(painted):
    for name in ("aesthetics", "cover_surprise"):
        check_scorer(lambda name=name: build("scorers", name), painted)
    for name in ("blank_picture", "noise_picture"):
        check_gate(lambda name=name: build("gates", name), [*painted, BLANK[0], static()])


def test_aesthetics_by_hand():
    table = np.zeros((1, len(NAMES)))
    for name, (_, good, end, *_rest) in WISHES.items():
        table[0, NAMES.index(name)] = (good + end) / 2
    assert value(table) == pytest.approx(1)
    low, good, _, _, floor, weight = WISHES["contrast"]
    table[0, NAMES.index("contrast")] = (low + good) / 2
    weights = sum(wish[-1] for wish in WISHES.values())
    assert value(table) == pytest.approx((floor + (1 - floor) / 2) ** (weight / weights))


def test_aesthetics_ranks_real_covers_above_what_is_none(covers):
    scorer = build("scorers", "aesthetics")
    real = scorer.score(covers[::12])
    none = scorer.score([*BLANK.values(), CHECKERBOARD, GRADIENT, COLOUR_GRADIENT, static(), static(1, 1024)])
    assert real.min() > none.max()
    assert 0 < none.min() and real.max() <= 1


@pytest.mark.parametrize("damage", ["blur", "jpeg"])
def test_aesthetics_ranks_real_covers_above_their_damaged_selves(covers, damage):
    def harm(picture):
        if damage == "blur":
            return Image(gaussian_filter(picture.pixels, (2, 2, 0)))
        data = io.BytesIO()
        Picture.fromarray(picture.pixels).save(data, "JPEG", quality=10)
        return Image(np.asarray(Picture.open(data)))

    some = covers[5::12]
    scorer = build("scorers", "aesthetics")
    assert np.mean(scorer.score(some) > scorer.score([harm(c) for c in some])) >= 0.96


# --- surprise ---------------------------------------------------------------------------------------------------------


def test_surprise_is_the_students_t_of_the_posterior(rng):
    known = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 3)) + (5, -2, 0)
    x = rng.normal(size=(6, 3)) * 3
    got = surprise(x, known)
    middle = np.median(known, axis=0)
    scale = 1.4826 * np.median(np.abs(known - middle), axis=0)
    z, n, k = (known - middle) / scale, 30, 3
    mean = z.sum(axis=0) / (n + 1)  # kappa0 = 1, prior mean 0
    scatter = np.eye(k) + z.T @ z - (n + 1) * np.outer(mean, mean)
    nu = k + 2 + n - k + 1
    model = multivariate_t(mean, scatter * (n + 2) / ((n + 1) * nu), df=nu)
    wanted = (model.logpdf(mean) - model.logpdf((x - middle) / scale)) / np.log(2)
    assert np.allclose(got, wanted)


def test_surprise_grows_away_from_the_reference(painted):
    scorer = build("scorers", "cover_surprise")
    usual = scorer.score(painted)
    assert scorer.score([static()])[0] > 3 * usual.max()  # which is why the gates come first
    assert (usual >= 0).all() and np.median(scorer.reference_scores()) < 40


def test_reference_scores_leave_each_cover_out():
    scorer = build("scorers", "cover_surprise")
    table = scorer._set.table()
    assert scorer.reference_scores()[7] == pytest.approx(surprise(table[7:8], np.delete(table, 7, axis=0))[0])
    assert np.array_equal(build("scorers", "aesthetics").reference_scores(), value(table))


# --- references -------------------------------------------------------------------------------------------------------


def test_the_shipped_reference_is_what_the_script_makes():
    spec = importlib.util.spec_from_file_location(
        "reference_covers", Path(__file__).parents[1] / "train" / "reference_covers.py"
    )
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    reference = build("scorers", "cover_surprise").reference()
    assert reference.count == script.COUNT >= 160 and len(reference.sha256) == 64
    assert SHIPPED.stat().st_size < 200_000
    table = build("scorers", "cover_surprise")._set.table()
    for k, cover in zip(range(3), script.covers(3), strict=True):
        assert np.allclose(statistics(cover), table[k], atol=0.02), f"cover {k}: run python train/reference_covers.py"


def test_a_folder_of_pictures_is_a_reference(tmp_path, painted):
    for k in range(9):
        Picture.fromarray(np.roll(painted[k % 4].pixels, 9 * k, axis=1)).save(tmp_path / f"{k}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    scorer = build("scorers", {"name": "cover_surprise", "reference": str(tmp_path)})
    assert scorer.reference().count == 9 and scorer.reference().name == tmp_path.name
    assert scorer.identity()["reference_sha256"] == scorer.reference().sha256
    assert scorer.score(painted).shape == (4,) and np.isfinite(scorer.reference_scores()).all()
    before = scorer.reference().sha256
    (tmp_path / "8.png").unlink()
    assert scorer.reference().sha256 != before  # the folder is read as it is now
    (tmp_path / "7.png").unlink()
    with pytest.raises(InvalidValue, match="holds 7 pictures, a reference set needs at least 8"):
        scorer.score(painted)


def test_bad_references(tmp_path):
    with pytest.raises(InvalidValue, match='reference is "shipped", a folder'):
        build("scorers", {"name": "aesthetics", "reference": 3})
    with pytest.raises(MediaError, match="no reference covers at"):
        build("scorers", {"name": "cover_surprise", "reference": str(tmp_path / "none")}).score([static()])
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing of the kind")
    with pytest.raises(MediaError, match="is no file of cover statistics"):
        build("scorers", {"name": "cover_surprise", "reference": str(broken)}).reference()
    from safetensors.numpy import save_file

    save_file({"statistics": np.zeros((20, 3), np.float32)}, broken, metadata={"names": "a b c"})
    with pytest.raises(MediaError, match="holds other statistics"):
        build("scorers", {"name": "aesthetics", "reference": str(broken)}).reference_scores()


# --- gates ------------------------------------------------------------------------------------------------------------


def test_gates_pass_every_real_cover(covers):
    for name in ("blank_picture", "noise_picture"):
        assert build("gates", name).check(covers) == [None] * 334


def test_gates_pass_painted_covers(painted):
    for name in ("blank_picture", "noise_picture"):
        assert build("gates", name).check(painted) == [None] * 4


def test_nothing_blank_passes():
    soft = image(
        np.stack(np.broadcast_arrays(90 + (T - 128.0) ** 2 / 200, 128 + T[:, None] * T / 900, 100 - T[:, None] / 4), -1)
    )
    faint = image(128 + np.random.default_rng(0).integers(-2, 3, (256, 256, 3)))
    large_checkerboard = Image(
        np.broadcast_to((np.indices((1024, 1024)).sum(0) % 2 * 255)[..., None], (1024, 1024, 3)).astype(np.uint8)
    )
    pictures = [*BLANK.values(), image([200, 20, 90]), GRADIENT, COLOUR_GRADIENT, soft, faint, large_checkerboard]
    answers = build("gates", "blank_picture").check(pictures)
    assert all(a is not None and a.startswith("is blank (") for a in answers), answers
    assert residual(prepare(GRADIENT)) < 1e-3


def test_no_noise_passes():
    chroma = (
        np.random.default_rng(3).normal(0, 40, (256, 256, 1)) * np.array([1, -0.51, 0.1]) + 128
    )  # near constant luma
    salt = np.where(np.random.default_rng(4).random((256, 256)) < 0.5, 255, 0)
    pictures = [static(), static(1, 1024), static(2, 100), CHECKERBOARD, image(np.clip(chroma, 0, 255)), grey(salt)]
    answers = [
        a or b
        for a, b in zip(
            build("gates", "noise_picture").check(pictures),
            build("gates", "blank_picture").check(pictures),
            strict=True,
        )
    ]
    assert all(answers), answers
    assert neighbour_correlation(prepare(CHECKERBOARD)) == pytest.approx(-1, abs=0.01)
    assert neighbour_correlation(prepare(static())) == pytest.approx(0, abs=0.01)
