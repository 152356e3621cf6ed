"""train/fusion.py on a tiny world: it learns from own music and not from another's, resumes, exports, and measures."""

import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("diffusers")

from benchmarks.fusion import proof as fusion_proof  # noqa: E402
from benchmarks.fusion import world as fusion_world  # noqa: E402
from benchmarks.fusion.tiny import WINDOW, _follow, pretrain, tokenizer  # noqa: E402
from spectrogrand import build, media  # noqa: E402
from spectrogrand.albums.brief import AlbumBrief  # noqa: E402
from spectrogrand.errors import InvalidValue, UnknownName  # noqa: E402
from spectrogrand.models import fusion  # noqa: E402
from spectrogrand.training.fusion_ import data as fusion_data  # noqa: E402
from spectrogrand.training.fusion_.metrics import Encoder, agreement, distances  # noqa: E402
from spectrogrand.training.loop import checkpoints, entry  # noqa: E402
from spectrogrand.training.loop.words import compose  # noqa: E402
from train import fusion as training  # noqa: E402


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A barely trained model, and albums whose music tells the palette."""
    home = tmp_path_factory.mktemp("world")
    losses = pretrain(home / "model", fusion_world.WORDS, fusion_world.examples, size=8, steps=12, batch=4)
    assert losses[-1] < losses[0]
    fusion_world.albums(home / "albums", 16, 8, 0)
    return home


def fit(world, tmp_path, *words):
    settings = [
        f"data.root={world / 'albums'}", f"model.weights={world / 'model'}", f"output={tmp_path}", f"cache={world / 'cache'}",
        "data.size=8", "data.seconds=3.0", "model.heads=4", "recipe.epochs=1", "recipe.batch_size=8",
        "recipe.warmup=1", "recipe.lr=1e-2", "recipe.repeats=1", "trainer.accelerator=cpu",
        "trainer.enable_progress_bar=false", "trainer.threads=1",
    ]  # fmt: skip
    return training.fit(compose("fusion", [*settings, *words]))


def test_the_tokenizer_reads_each_word_of_the_world_as_one_token():
    reads = tokenizer(fusion_world.WORDS)
    prompt = fusion_world.PROMPT.format(title="north river", genre="jazz") + fusion_world.HINT.format(palette="ember")
    assert {"north</w>", "jazz</w>", "ember</w>"} <= set(reads.tokenize(prompt)) and len(
        reads(prompt)["input_ids"]
    ) < WINDOW


@pytest.mark.parametrize("kind", ["cross_attention", "music_attention"])
def test_a_fusion_is_trained_exported_and_drawn_with(kind, world, tmp_path):
    found = fit(world, tmp_path, f"model.kind={kind}", "evaluate.covers=4", "evaluate.steps=2")
    file = f"{found['folder']}/fusion.safetensors"
    settings = fusion.settings_of(file)
    assert (settings.kind, settings.embedder, settings.music_width, settings.tokens) == (
        kind,
        "timbre_rhythm",
        124,
        WINDOW,
    )
    assert (
        found["loss_fused"] != found["loss_prompt"] and 0 < found["mse_fused"] < 1 and np.isfinite(found["fid_fused"])
    )
    assert found["encoder"] == "statistics" and set(found) >= {"kid_prompt", "kid_std_fused", "agreement_real"}
    assert json.loads(open(f"{found['folder']}/metrics.json").read())["covers"] == 4
    song = media.load_audio(world / "albums/clips/0.wav")
    brief = AlbumBrief("north", "jazz", "red", "blends", album="north", song=song)
    options = {
        "name": "fused_diffusion",
        "weights": str(world / "model"),
        "fusion": file,
        "size": 8,
        "steps": 2,
        "seconds": 3.0,
    }
    assert build("generators", options).generate([brief], [0])[0].size == (8, 8)


def test_only_the_fusion_is_trained_and_a_killed_training_goes_on_to_the_same_weights(world, tmp_path):
    whole = fit(world, tmp_path / "whole", "recipe.epochs=2")
    kept = checkpoints.load(f"{whole['folder']}/last.ckpt")
    assert all(k.startswith("fused.") for k in kept["state_dict"]) and len(kept["state_dict"]) > 8

    from spectrogrand.training.loop.trainer import Keeper

    class Killed(RuntimeError):
        pass

    original = Keeper.on_train_epoch_end

    def once(self, trainer, module):
        original(self, trainer, module)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "on_train_epoch_end", once)
        with pytest.raises(Killed):
            fit(world, tmp_path / "killed", "recipe.epochs=2")
    again = fit(world, tmp_path / "killed", "recipe.epochs=2")
    first, second = (fusion.load(f"{f['folder']}/fusion.safetensors").module.state_dict() for f in (whole, again))
    assert all(torch.allclose(v, second[k], atol=1e-6) for k, v in first.items())
    assert again["loss_fused"] == pytest.approx(whole["loss_fused"], abs=1e-5)


def test_a_training_killed_within_an_epoch_goes_on_with_the_albums_that_it_had_not_seen(world, tmp_path):
    from spectrogrand.training.fusion_.task import FusionTask
    from spectrogrand.training.loop.trainer import Keeper

    class Killed(RuntimeError):
        pass

    seen, step, save = [], FusionTask.training_step, Keeper.on_train_batch_end

    def noted(self, batch, k):
        seen.append(tuple(batch["index"]))
        return step(self, batch, k)

    def once(self, trainer, *more):
        save(self, trainer, *more)
        if trainer.global_step == 6:
            raise Killed

    words = ["recipe.epochs=2", "recipe.batch_size=4", "trainer.save_every=1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FusionTask, "training_step", noted)
        whole = fit(world, tmp_path / "whole", *words)
        with patch.context() as inner:
            inner.setattr(Keeper, "on_train_batch_end", once)
            with pytest.raises(Killed):
                fit(world, tmp_path / "killed", *words)
        again = fit(world, tmp_path / "killed", *words)
    assert len(seen) == 16 and seen[8:] == seen[:8] and set(sum(seen[4:8], ())) == set(range(16))
    assert again["loss_fused"] == pytest.approx(whole["loss_fused"], abs=1e-6)


def test_weights_that_are_no_numbers_are_never_saved(world, tmp_path):
    """With every callback of a real training, which saves within the epoch."""
    from spectrogrand.training.fusion_.task import FusionTask

    step = FusionTask.training_step
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FusionTask, "training_step", lambda s, b, k: step(s, b, k) * (torch.nan if s.global_step else 1))
        with pytest.raises(InvalidValue, match="the fusion's weights are no numbers any more: lower recipe.lr"):
            fit(world, tmp_path, "recipe.batch_size=4", "trainer.save_every=1")
    last = checkpoints.load(next(tmp_path.glob("*/last.ckpt")))
    assert last["global_step"] == 1 and all(v.isfinite().all() for v in last["state_dict"].values())


def test_albums_that_have_changed_since_are_not_gone_on_with(world, tmp_path):
    shutil.copytree(world / "albums", tmp_path / "albums")
    words = [f"data.root={tmp_path / 'albums'}"]
    first = fit(world, tmp_path / "runs", *words)
    assert fit(world, tmp_path / "runs", *words) == first
    media.save_image(tmp_path / "albums/covers/0.png", media.load_image(tmp_path / "albums/covers/1.png"))
    with pytest.raises(InvalidValue, match="trained on albums that have changed since"):
        fit(world, tmp_path / "runs", *words)


@pytest.mark.parametrize("word, said", [
    ("recipe.optimizer=adamm", "no recipe.optimizer 'adamm'; did you mean 'adamw'"),
    ("recipe.schedule=cosin", "did you mean 'cosine'"), ("recipe.loss=nois", "did you mean 'noise'"),
    ("recipe.batch_size=0", "recipe.batch_size is a whole number from 1"),
    ("recipe.lr=fast", "recipe.lr is a number from 0"),
    ("recipe.gradient_clip=-1", "recipe.gradient_clip is a number above 0"),
    ("model.kind=linea", "did you mean 'linear'"), ("data.prompt=lyrics", "no data.prompt 'lyrics'"),
    ("data.music=shufled", "did you mean 'shuffled'"), ("trainer.devices=2", "a fusion is trained on one device"),
    ("trainer.precision=half", "no trainer.precision 'half'"), ("evaluate.covers=2", "sets of 4 or more, got 2"),
    ("evaluate.sampler=dimm", "no evaluate.sampler 'dimm'"), ("seed=-1", "seed is a whole number from 0"),
])  # fmt: skip
def test_settings_that_make_no_sense_are_told_before_a_clip_is_heard(word, said, tmp_path, capsys):
    words = [f"data.root={tmp_path / 'nowhere'}", "evaluate.encoder=clip", "evaluate.encoder_weights=there", word]
    assert entry.main("fusion", training.fit, words) in (1, 2)
    assert said in capsys.readouterr().err


def test_the_published_recipe_is_a_config(world, tmp_path):
    config = compose("fusion", ["recipe=published_fusion"])
    recipe = config["recipe"]
    assert (recipe["optimizer"], recipe["lr"], recipe["batch_size"], recipe["epochs"], recipe["warmup"]) == (
        "sgd",
        1e-4,
        1,
        1,
        500,
    )
    assert recipe["schedule"] == "cosine" and config["data"]["seconds"] == 25.0 and config["data"]["size"] == 256


def test_shuffled_music_is_never_ones_own(world):
    embedder = fusion_data.embedder_of({"name": "timbre_rhythm"})
    own = fusion_data.albums(
        world / "albums", "train", embedder, size=8, seconds=3.0, cache=world / "cache", style="album_genre"
    )
    other = own.shuffled(3)
    assert all(not np.array_equal(a, b) for a, b in zip(own.features, other.features, strict=True))
    assert {f.tobytes() for f in own.features} == {f.tobytes() for f in other.features}
    none = own.heard("constant", 3)
    assert not np.any(none.features) and len(none) == len(own) and none.prompt(0) == own.prompt(0)
    assert own.heard("own", 3) is own
    assert all(np.array_equal(a, b) for a, b in zip(own.heard("shuffled", 3).features, other.features, strict=True))
    with pytest.raises(UnknownName, match="did you mean 'shuffled'"):
        own.heard("shufled", 3)
    assert own.prompt(0).startswith("Create an album cover for the album '") and own.pixels(0).shape == (3, 8, 8)
    assert own.pixels(0).min() >= -1 and own.pixels(0).max() <= 1


@pytest.mark.parametrize("predicts", ["epsilon", "v_prediction"])
def test_the_loss_is_the_noise_predictions_and_the_frozen_model_is_its_null(predicts, world):
    from spectrogrand.models import stable_diffusion as diffusion
    from spectrogrand.training.fusion_.recipe import FusionRecipe
    from spectrogrand.training.fusion_.task import FusionTask

    model = diffusion.load(world / "model", "float32", "cpu", part="x")
    model.schedule["prediction_type"] = predicts
    fused = fusion.Fusion(fusion.FusionSettings("linear", 124, model.width, model.window, heads=4))
    recipe = FusionRecipe("adamw", 1e-3, 1, 1, warmup=1, schedule="cosine")
    task = FusionTask(model, fused, recipe, 0)
    batch = {"pixels": torch.zeros(2, 3, 16, 16), "features": torch.randn(2, 1, 124), "prompt": ["a", "b"]}
    noise, t = torch.randn(2, 3, 16, 16), torch.tensor([10, 500])
    text = model.read(["a", "b"])
    a = model.scheduler("ddpm").alphas_cumprod[t][:, None, None, None]
    guess = model.unet((1 - a).sqrt() * noise, t, encoder_hidden_states=text)[0]
    target = noise if predicts == "epsilon" else a.sqrt() * noise  # v = sqrt(a) e - sqrt(1 - a) x0, and x0 is 0 here
    expected = (guess - target).square().mean((1, 2, 3))
    with torch.no_grad():
        assert torch.allclose(task.losses(batch, text, None, noise, t, fused=False), expected, atol=1e-5)
        assert torch.allclose(task.losses(batch, text, None, noise, t), expected, atol=1e-5), (
            "a residual fusion begins there"
        )


def test_sets_are_compared_by_fid_and_kid_and_rankings_by_agreement(rng):
    palettes = [
        np.stack([fusion_world.cover(p, g, rng) for g in fusion_world.GENRES * 3]) for p in ("ember", "ember", "ocean")
    ]
    sets = [torch.from_numpy(np.ascontiguousarray(p.transpose(0, 3, 1, 2))) for p in palettes]
    encoder = Encoder("statistics", None, sets[0])
    first, second, third = (encoder(s) for s in sets)
    alike, apart = distances(first, second, 0), distances(first, third, 0)
    assert alike["fid"] < apart["fid"] / 2 and alike["kid"] < apart["kid"]
    assert distances(first, first, 0)["fid"] == pytest.approx(0, abs=0.05)
    assert distances(first, second, 0) == alike, "the same twice"
    x = rng.normal(size=(30, 6))
    assert agreement(x, -2 * x) == pytest.approx(1) and abs(agreement(x, rng.normal(size=(30, 9)))) < 0.15
    with pytest.raises(UnknownName, match="did you mean 'clip'"):
        Encoder("clp", None, sets[0])
    with pytest.raises(InvalidValue, match="encoder_weights"):
        Encoder("clip", None, sets[0])


def test_fid_is_its_formula(rng):
    """Against numpy: |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) (Heusel et al. 2017, eq. 6)."""
    from scipy.linalg import sqrtm

    a, b = (torch.from_numpy(rng.integers(lo, hi, (40, 3, 4, 4)).astype(np.uint8)) for lo, hi in ((0, 200), (60, 255)))
    x, y = (t.float().mean((2, 3)).numpy() for t in (a, b))
    cx, cy = np.cov(x.T), np.cov(y.T)
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(cx + cy - 2 * sqrtm(cx @ cy).real)
    got = distances(torch.from_numpy(x), torch.from_numpy(y), 0)["fid"]
    assert got == pytest.approx(expected, rel=1e-3)


def test_what_is_missing_is_one_line(world, tmp_path):
    with pytest.raises(InvalidValue, match="spectrogrand prepare albums"):
        training.fit(compose("fusion", []))
    (tmp_path / "bad").mkdir()
    text = (world / "albums/albums.csv").read_text().replace("covers/0.png", "../../secret.png")
    (tmp_path / "bad/albums.csv").write_text(text)
    with pytest.raises(InvalidValue, match="no file in"):
        fit(world, tmp_path, f"data.root={tmp_path / 'bad'}")


def test_the_average_of_the_weights_is_what_is_kept():
    pairs = [(torch.zeros(2), torch.ones(2)), (torch.full((1,), 4.0), torch.full((1,), 2.0))]
    _follow(pairs, 0.9)
    assert torch.allclose(pairs[0][0], torch.tensor(0.1)) and torch.allclose(pairs[1][0], torch.tensor(3.8))


def test_the_proof_measures_on_the_same_noises_and_a_fresh_fusion_gains_nothing(world):
    from spectrogrand.models import stable_diffusion as diffusion

    parts = diffusion.load(world / "model", "float32", "cpu", part="x")
    embedder = fusion_data.embedder_of({"name": "timbre_rhythm"})
    test = fusion_data.albums(
        world / "albums", "test", embedder, size=8, seconds=3.0, cache=world / "cache", style="album_genre"
    )
    fused = fusion.Fusion(fusion.FusionSettings("cross_attention", 124, parts.width, parts.window, heads=4))
    prompts = [test.prompt(i) for i in range(len(test))]
    alone, again = (fusion_proof.losses(parts, f, test, prompts) for f in (None, fused))
    assert alone.shape == (2, len(test)) and np.allclose(alone, again, atol=1e-5)
    assert np.all(alone[0] < alone[1]), "the noise's is a_t < 1 times the velocity's"
    drawn = [fusion_proof.covers(parts, None, prompts[:2], None, seed) for seed in (0, 0, 1)]
    assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])


def test_a_gains_interval_covers_nothing_where_there_is_nothing(rng):
    alone = rng.uniform(1, 2, 200)
    mean, low, high = fusion_proof.gain(alone, alone * 0.9)
    assert (mean, low, high) == pytest.approx((10, 10, 10))
    mean, low, high = fusion_proof.gain(alone, alone + rng.normal(0, 0.3, 200))
    assert low < mean < high and low < 0 < high


def test_every_palette_is_its_own_nearest(rng):
    for name in fusion_world.PALETTES:
        for genre in fusion_world.GENRES:
            away = fusion_world.palette_distances(fusion_world.cover(name, genre, rng))
            assert min(away, key=lambda n: away[n]) == name and away[name] < 0.05


@pytest.mark.slow
def test_a_fusion_gains_from_own_music_and_from_no_others(tmp_path):
    """One seed of the proof, the frozen model's training included: eight minutes of one core."""
    rows = {row["music"]: row for row in fusion_proof.prove(tmp_path, 100)}
    gains = {k: fusion_proof.gain(np.array(r["alone"][0]), np.array(r["fused"][0])) for k, r in rows.items()}
    assert gains["own"][1] > 5 and gains["word"][1] > 5
    assert gains["shuffled"][0] < gains["own"][0] / 10 and gains["constant"][0] < gains["own"][0] / 10
    assert rows["own"]["nearest_fused"] > rows["own"]["nearest_prompt"] + 0.3 > rows["shuffled"]["nearest_fused"]
