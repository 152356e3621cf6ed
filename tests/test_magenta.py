"""Magenta's style transfer: two back ends that agree, frames in order, constant sides prepared once, clear errors."""

from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import Frames, Image, build, media
from spectrogrand.errors import InvalidValue, MissingExtra, UnknownName
from spectrogrand.models.magenta import tflite
from spectrogrand.models.magenta.blocks import BlockConv, from_blocks, to_blocks
from spectrogrand.models.magenta.predictor import Predictor
from spectrogrand.testing import check_stylizer

PREDICT, TRANSFER = "style_predict_quantized_256.tflite", "style_transfer_f16_384.tflite"
SMALL = {"backend": "torch", "size": 64}


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "models/magenta"


@pytest.fixture(autouse=True)
def one_thread():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pictures(shared):
    covers = sorted((shared / "data/covers_sdxl/val").glob("*.jpg"))[:3]
    return [media.load_image(p) for p in covers]


def made(folder, **settings):
    return build("stylizers", {"name": "magenta", "weights": str(folder), **settings})


def spy(part, method):
    """Load the part's engine and count the calls of one of its methods, with their arguments."""
    engine, calls = part._load(), []
    plain = getattr(engine, method)
    setattr(engine, method, lambda *a: calls.append(a) or plain(*a))
    return calls


def stream(images, count):
    return Frames(lambda: (images[k % len(images)].pixels for k in range(count)), images[0].size, count, Fraction(10))


def test_contract(folder, pictures):
    content, style = pictures[0].resized(72, 96), pictures[1].resized(64, 64)
    check_stylizer(lambda: made(folder, **SMALL, smoothing=0.3), content, style)


def test_back_ends_agree(folder, pictures):
    pytest.importorskip("ai_edge_litert")
    litert, module = made(folder), made(folder, backend="torch", device="cpu")
    cover, style = (p.pixels for p in pictures[:2])
    unit = [np.asarray(Image(x).resized(n, n).pixels, np.float32) / 255 for x, n in ((cover, 384), (style, 256))]
    one, other = litert._load(), module._load()
    own = Predictor(tflite.read(folder / PREDICT), "cpu", pytest.importorskip("torch").float32)
    vectors = [one.vector(unit[1]), own(unit[1])]
    assert np.array_equal(other.vector(unit[1]), vectors[0]), "on a processor it is LiteRT that predicts"
    step = tflite.read(folder / PREDICT)["mobilenet_conv/Conv/BiasAdd_int8"].scale[0]
    assert np.abs(vectors[0] - vectors[1]).max() <= 2.01 * step
    drawn = [e.draw([e.prepare(unit[0])], [vectors[0]])[0] for e in (one, other)]
    assert np.abs(drawn[0] - drawn[1]).max() < 1e-4
    assert drawn[0].std() > 0.05
    whole = [next(iter(m.stylize(pictures[0], pictures[1]))).astype(float) for m in (litert, module)]
    assert np.abs(whole[0] - whole[1]).mean() < 3


def test_bfloat16_is_near_float32(folder, pictures):
    parts = (made(folder, **SMALL, dtype=d) for d in ("float32", "bfloat16"))
    exact, fast = (next(iter(part.stylize(*pictures[:2]))).astype(float) for part in parts)
    assert 0 < np.abs(exact - fast).mean() < 2


def test_constant_sides_are_prepared_once(folder, pictures):
    for content, style, contents, vectors in (
        (pictures[0], stream(pictures, 3), 1, 3),
        (stream(pictures, 3), pictures[0], 3, 1),
    ):
        part = made(folder, **SMALL)
        prepared, predicted = spy(part, "prepare"), spy(part, "vector")
        assert len(list(part.stylize(content, style))) == 3
        assert (len(prepared), len(predicted)) == (contents, vectors)


def test_frames_come_in_order_and_are_streamed(folder, pictures):
    part, read = made(folder, **SMALL), []

    def source():
        for k in range(4):
            read.append(k)
            yield pictures[k % 3].pixels

    frames = iter(part.stylize(pictures[0], Frames(source, pictures[0].size, 4, Fraction(10))))
    first = next(frames)
    assert read == [0]
    alone = [next(iter(part.stylize(pictures[0], p))) for p in pictures]
    for got, expected in zip([first, *frames], [*alone, alone[0]], strict=True):
        assert np.array_equal(got, expected)
    assert not np.array_equal(alone[0], alone[1])


def test_batches_draw_the_same_frames(folder, pictures):
    one, three = (list(made(folder, **SMALL, batch_size=b).stylize(pictures[0], stream(pictures, 4))) for b in (1, 3))
    assert max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(one, three, strict=True)) <= 1


def test_strength_goes_from_the_contents_own_style_to_the_others(folder, pictures):
    cover, style = pictures[:2]
    drawn = {
        s: next(iter(made(folder, **SMALL, strength=s).stylize(cover, style))).astype(float) for s in (0.0, 0.5, 1.0)
    }
    itself = next(iter(made(folder, **SMALL).stylize(cover, cover)))
    assert np.abs(drawn[0.0] - itself).max() <= 1
    far = [np.abs(drawn[s] - drawn[1.0]).mean() for s in (0.0, 0.5)]
    assert far[0] > 1.3 * far[1] > 0


def test_blend_mixes_the_contents_own_features_in(folder, pictures):
    cover, style = pictures[:2]

    def drawn(blend, other=style, **settings):
        return next(iter(made(folder, **SMALL, blend=blend, **settings).stylize(cover, other))).astype(float)

    itself, plain = drawn(0.0, cover), drawn(0.0)
    far = [np.abs(drawn(b) - plain).mean() for b in (0.3, 1.0)]
    assert 0 < far[0] < far[1]
    assert np.abs(drawn(0.7, cover) - itself).max() <= 1  # in its own style there is nothing to mix
    both = drawn(0.5, strength=0.5)
    assert 0 < np.abs(both - itself).mean() < np.abs(drawn(0.5) - itself).mean()


def test_smoothing_calms_the_vectors(folder, pictures):
    def moves(smoothing):
        part = made(folder, **SMALL, smoothing=smoothing)
        drawn = spy(part, "draw")
        list(part.stylize(pictures[0], stream(pictures, 4)))
        return np.array([vectors[0] for _, vectors in drawn])

    rough, calm = moves(0.0), moves(0.8)
    assert np.array_equal(rough[0], calm[0])
    np.testing.assert_allclose(calm[1], 0.8 * rough[0] + 0.2 * rough[1], atol=1e-5)
    assert np.abs(np.diff(calm, axis=0)).mean() < 0.5 * np.abs(np.diff(rough, axis=0)).mean()


def test_the_content_keeps_its_aspect(folder):
    engine = made(folder, **SMALL)._load()
    assert engine.shape((100, 200)) == (32, 64)
    assert engine.shape((1080, 1920)) == (36, 64)


def test_no_weights_say_where_to_get_them():
    pytest.importorskip("ai_edge_litert")
    grey = Image(np.full((8, 8, 3), 128, np.uint8))
    with pytest.raises(MissingExtra, match=f"needs {PREDICT}: get it from https://.* and set weights=FOLDER"):
        build("stylizers", "magenta").stylize(grey, grey)


def test_wrong_weights_are_named(tmp_path, folder):
    grey = Image(np.full((8, 8, 3), 128, np.uint8))
    with pytest.raises(MissingExtra, match="finds no .*style_predict"):
        made(tmp_path, **SMALL).stylize(grey, grey)
    whole = (folder / PREDICT).read_bytes()
    for content, message in (
        (b"", "is empty"),
        (whole[:-9], "sha256 [0-9a-f]{64}, not 203dbd6a.*get it from https://.*predict"),
    ):
        (tmp_path / PREDICT).write_bytes(content)
        with pytest.raises(InvalidValue, match=message):
            made(tmp_path, **SMALL).stylize(grey, grey)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"backend": "tfhub2"}, UnknownName, "no magenta backend 'tfhub2'"),
        ({"strength": -1}, InvalidValue, "strength from 0 to 2"),
        ({"smoothing": 1.0}, InvalidValue, "smoothing from 0 to 0.95"),
        ({"size": 512}, InvalidValue, "backend=litert draws at size 384.*set backend=torch"),
        ({"blend": 0.5}, InvalidValue, "backend=litert cannot blend features: set backend=torch"),
        ({"backend": "torch", "dtype": "int8"}, UnknownName, "no magenta dtype"),
        ({"backend": "torch", "batch_size": 2.5}, InvalidValue, "batch_size from 1 to 256"),
    ],
)
def test_settings_are_checked(settings, error, message):
    with pytest.raises(error, match=message):
        build("stylizers", {"name": "magenta", **settings})


def test_streams_that_differ_are_refused(folder, pictures):
    with pytest.raises(InvalidValue, match="content has 3 frames at 10 fps, style 4"):
        made(folder, **SMALL).stylize(stream(pictures, 3), stream(pictures, 4))


def test_tflite_files_that_are_none(tmp_path, folder):
    torn = (folder / PREDICT).read_bytes()[:2000]
    for content, message in ((b"hello, world", "lacks the identifier TFL3"), (torn, "torn TFLite file")):
        (tmp_path / "a.tflite").write_bytes(content)
        with pytest.raises(InvalidValue, match=message):
            tflite.read(tmp_path / "a.tflite")


@pytest.mark.parametrize(
    ("inside", "outside", "stride", "grow", "taps"),
    [
        (1, 1, 1, 1, 3),
        (2, 2, 1, 1, 9),
        (4, 4, 1, 1, 9),
        (2, 1, 2, 1, 3),
        (4, 2, 2, 1, 3),
        (1, 2, 1, 2, 3),
        (2, 4, 1, 2, 3),
    ],
)
def test_a_convolution_over_blocks_is_the_plain_one_borders_too(inside, outside, stride, grow, taps):
    torch = pytest.importorskip("torch")
    import torch.nn.functional as F

    made = torch.Generator().manual_seed(0)
    rows, columns = 8 * inside, 6 * inside
    x, kernel, bias = (torch.randn(s, generator=made) for s in ((2, 3, rows, columns), (5, 3, taps, taps), (5,)))
    big = F.interpolate(x, scale_factor=grow, mode="nearest") if grow > 1 else x
    expected = F.conv2d(F.pad(big, (taps // 2,) * 4, mode="reflect"), kernel, bias, stride)
    layer = BlockConv(kernel, bias, inside, outside, stride, grow, "cpu", torch.float32, {})
    found = from_blocks(layer(to_blocks(x, inside)), outside)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_the_network_over_blocks_is_the_plain_network(folder, pictures):
    torch = pytest.importorskip("torch")
    from spectrogrand.models.magenta import network

    weights = network._transfer_weights(tflite.read(folder / TRANSFER), "cpu", torch.float32)
    engine = made(folder, backend="torch", device="cpu", size=96)._load()
    x = torch.from_numpy(np.stack([p.resized(64, 96).pixels for p in pictures[:2]]).astype(np.float32) / 255).permute(
        0, 3, 1, 2
    )
    styles = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 100)).astype(np.float32))
    with torch.inference_mode():
        features = engine._contract(x)
        torch.testing.assert_close(features, network.contract(x, weights), rtol=1e-4, atol=1e-4)
        found, expected = engine._restyle(features, styles), network.restyle(features, styles, weights)
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
        found, expected = engine._expand(expected, styles), network.expand(expected, styles, weights)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 0.05


@pytest.mark.parametrize(("dtype", "most"), [("float32", 1e-4), ("bfloat16", 0.06)])
def test_what_is_kept_between_calls_of_the_network_leaks_into_no_picture(folder, dtype, most):
    torch = pytest.importorskip("torch")
    from spectrogrand.models.magenta import network

    weights = network._transfer_weights(tflite.read(folder / TRANSFER), "cpu", torch.float32)
    engine = made(folder, backend="torch", device="cpu", size=64, dtype=dtype, blend=0.4)._load()
    made_up, kept = np.random.default_rng(0), []
    for rows, columns, count in ((36, 52, 1), (36, 52, 3), (32, 64, 2), (36, 52, 1), (52, 36, 2), (36, 52, 3)):
        pictures = made_up.random((count, rows, columns, 3), dtype=np.float32)
        own, styles = made_up.normal(0, 0.3, (2, count, 100)).astype(np.float32)
        ready = [engine.prepare(p, o) for p, o in zip(pictures, own, strict=True)]
        drawn = engine.draw(ready, list(styles))
        s, o = torch.from_numpy(styles), torch.from_numpy(own)
        features = network.contract(torch.from_numpy(pictures).permute(0, 3, 1, 2), weights)
        mixed = network.restyle(features, s, weights).lerp(network.restyle(features, o, weights), 0.4)
        kept.append((drawn, network.expand(mixed, s, weights).permute(0, 2, 3, 1).numpy()))
    for found, expected in kept:  # once all calls are over: what was handed out earlier must be as it was
        assert np.abs(np.stack(found) - expected).max() < most < expected.std()


def test_two_threads_may_draw_at_once(folder):
    pytest.importorskip("torch")
    from concurrent.futures import ThreadPoolExecutor

    engine = made(folder, backend="torch", device="cpu", size=256)._load()
    made_up = np.random.default_rng(0)
    styles = made_up.normal(0, 0.3, (2, 100)).astype(np.float32)
    ready = [engine.prepare(p) for p in made_up.random((2, 256, 256, 3), dtype=np.float32)]

    def draw(k):
        return engine.draw([ready[k]], [styles[k]])[0]

    alone = [draw(0), draw(1)]
    with ThreadPoolExecutor(2) as threads:
        for k, found in enumerate(threads.map(draw, [0, 1] * 6)):
            assert np.abs(found - alone[k % 2]).max() < 1e-4
