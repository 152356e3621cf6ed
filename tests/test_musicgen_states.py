"""musicgen_states on a tiny random MusicGen: what the language model reads, and which states come back."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_musicgen import musicgen  # noqa: E402

from spectrogrand import Audio, build  # noqa: E402
from spectrogrand.errors import InvalidValue, MissingExtra  # noqa: E402
from spectrogrand.plugins.embedders.musicgen_states import delayed  # noqa: E402


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return musicgen(tmp_path_factory.mktemp("musicgen"))


@pytest.fixture
def embedder(folder):
    return build("embedders", {"name": "musicgen_states", "weights": str(folder), "seconds": 2.0})


def song(seed, seconds=3.0, rate=22050):
    rng = np.random.default_rng(seed)
    return Audio(rng.normal(0, 0.2, (2, int(seconds * rate))).astype(np.float32), rate)


def test_states_come_over_time_and_as_their_mean(embedder):
    frames = embedder.frames(song(0))
    assert frames.shape == (100, 16) and frames.dtype == np.float32
    assert np.allclose(embedder.embed([song(0)])[0], frames.mean(0), atol=1e-6)
    assert not np.allclose(frames, embedder.frames(song(1)), atol=1e-3)


def test_the_clip_is_the_middle_and_gain_free_parts_outside_do_not_count(embedder):
    long = song(0, 6.0)
    other = long.samples.copy()
    other[:, : 2 * 22050] = 0
    other[:, 4 * 22050 :] = 0
    assert np.array_equal(embedder.frames(long), embedder.frames(Audio(other, 22050)))


def test_the_language_model_reads_the_codes_in_their_delay_pattern_and_no_text(embedder, monkeypatch):
    from transformers import MusicgenForCausalLM

    seen, _ = {}, embedder._load()
    forward = MusicgenForCausalLM.forward

    def spy(self, input_ids=None, **options):
        seen.update(ids=input_ids.clone(), states=options["encoder_hidden_states"])
        return forward(self, input_ids=input_ids, **options)

    monkeypatch.setattr(MusicgenForCausalLM, "forward", spy)
    embedder.frames(song(0))
    codes = embedder.codes(song(0))
    assert codes.shape == (4, 100) and len(np.unique(codes)) > 4
    assert (seen["ids"].numpy() == delayed(codes, 16)).all() and not seen["states"].any()
    own = embedder._load().decoder.build_delay_pattern_mask(
        torch.cat([torch.full((4, 1), 16), torch.as_tensor(codes)], 1), 16, 105
    )
    mask = own[1][:, :104].numpy()
    assert ((mask == -1) | (mask == seen["ids"].numpy())).all(), "the library's own pattern agrees"


def test_a_state_is_taken_where_all_codes_of_its_time_have_been_read(embedder, monkeypatch):
    codes = embedder.codes(song(0))
    before = embedder.frames(song(0))
    changed = codes.copy()
    changed[:, 60] = (changed[:, 60] + 1) % 16
    monkeypatch.setattr(embedder, "codes", lambda audio: changed)
    after = embedder.frames(song(0))
    apart = np.abs(after - before).max(axis=1)
    assert apart[60] > 1e-4, "the state of time 60 has heard all of time 60"
    assert (apart[:57] < 1e-6).all(), "nothing later than three codebooks' delay is heard before its time"


def test_the_middle_layer_is_the_default_and_wrong_ones_are_refused(folder, embedder):
    second = build("embedders", {"name": "musicgen_states", "weights": str(folder), "seconds": 2.0, "layer": 2})
    last = build("embedders", {"name": "musicgen_states", "weights": str(folder), "seconds": 2.0, "layer": 4})
    assert np.array_equal(embedder.frames(song(0)), second.frames(song(0)))
    assert not np.allclose(second.frames(song(0)), last.frames(song(0)))
    with pytest.raises(InvalidValue, match="4 layers, there is no layer 9"):
        build("embedders", {"name": "musicgen_states", "weights": str(folder), "layer": 9}).frames(song(0))
    with pytest.raises(InvalidValue, match="1 to 30 seconds"):
        build("embedders", {"name": "musicgen_states", "seconds": 60})
    with pytest.raises(MissingExtra, match="musicgen_states"):
        build("embedders", "musicgen_states").frames(song(0))
