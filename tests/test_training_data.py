"""What training reads: folders and what is wrong with them, the cache, batches, augmentation, synthetic data, checkpoints."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image as Pillow

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
from spectrogrand.errors import ConfigError, InvalidValue, MediaError, UnknownName  # noqa: E402
from spectrogrand.training.loop import checkpoints  # noqa: E402
from spectrogrand.training.loop.entry import main  # noqa: E402
from spectrogrand.training.loop.words import CONF, compose, points  # noqa: E402
from spectrogrand.training.pictures import augment, folders, synthetic  # noqa: E402
from spectrogrand.training.pictures.batches import Batches, InOrder, Labelled, draws  # noqa: E402
from spectrogrand.training.pictures.cache import decode, small  # noqa: E402
from spectrogrand.training.pictures.data import Pictures  # noqa: E402
from spectrogrand.types import GENRES  # noqa: E402


def jpeg(path, level, side=40, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    smooth = np.linspace(0, 60, side)[:, None, None] + level + rng.integers(0, 9, (side, side, 3))
    Pillow.fromarray(smooth.astype(np.uint8)).save(path, "JPEG", quality=95)


@pytest.fixture
def published(tmp_path):
    """HouseX in its first naming, two pictures per class and split."""
    count = 0
    for split in ("train", "val", "test"):
        for g, genre in enumerate(GENRES):
            for k in range(2):
                count += 1
                jpeg(tmp_path / "housex" / split / f"{genre} house-{k}{split}.jpg", 40 * g, seed=count)
    return tmp_path / "housex"


def test_both_namings_give_the_same_data(published, tmp_path):
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for path in published.rglob("*.jpg"):
        genre, rest = path.stem.split(" house-")
        (renamed / f"{path.parent.name}_{genre}_{rest}.jpg").write_bytes(path.read_bytes())
    one, other = (
        decode(folders.housex(root), GENRES, 32, tmp_path / "cache", workers=1) for root in (published, renamed)
    )
    for split in ("train", "val", "test"):
        assert one[split].labels.tolist() == other[split].labels.tolist() == np.repeat([1, 0, 3, 2], 2).tolist()
        np.testing.assert_array_equal(one[split].values[:], other[split].values[:])


def test_the_cache_is_read_again_and_follows_the_files(published, tmp_path, monkeypatch):
    first = decode(folders.housex(published), GENRES, 32, tmp_path / "cache", workers=2)
    monkeypatch.setattr("spectrogrand.training.pictures.cache.small", lambda *a: pytest.fail("decoded again"))
    again = decode(folders.housex(published), GENRES, 32, tmp_path / "cache", workers=1)
    assert isinstance(again["train"].values._values, np.memmap)
    np.testing.assert_array_equal(first["test"].values[:], again["test"].values[:])
    monkeypatch.undo()
    jpeg(published / "test" / "bass house-0test.jpg", 200)
    changed = decode(folders.housex(published), GENRES, 32, tmp_path / "cache", workers=1)
    assert not np.array_equal(first["test"].values[0], changed["test"].values[0])


def test_what_data_hold_is_told_by_their_files_whatever_decodes_them(published, tmp_path, monkeypatch):
    """So that a training moved to a machine with another decoder goes on, and no picture is read to find its folder."""
    config = {"name": "housex", "root": str(published), "workers": 1}
    first, second, third = (Pictures(config, "genre", 32, 4, seed=0, cache=tmp_path / str(k)) for k in range(3))
    told = first.content()
    monkeypatch.setattr("spectrogrand.training.pictures.cache.small", lambda *a: np.full((32, 32, 3), 7, np.uint8))
    second.setup()
    assert not np.array_equal(first.splits["train"].values[:], second.splits["train"].values[:])
    for part in second.splits.values():
        monkeypatch.setattr(type(part.values), "__getitem__", lambda *a: pytest.fail("a picture was read"))
    assert second.content() == told
    jpeg(published / "test" / "bass house-0test.jpg", 200)
    assert third.content() != told


def test_decoding_at_a_smaller_scale_is_the_picture(tmp_path):
    """Against the published way: the whole JPEG, then Pillow's bilinear."""
    x, y = np.meshgrid(np.linspace(0, 6, 384), np.linspace(0, 9, 384))
    whole = (127 + 100 * np.sin(x * y)[..., None] * np.array([1, 0.6, -0.8])).astype(np.uint8)
    Pillow.fromarray(whole).save(tmp_path / "a.jpg", quality=95)
    ours = small((tmp_path / "a.jpg").read_bytes(), tmp_path / "a.jpg", 96).astype(int)
    with Pillow.open(tmp_path / "a.jpg") as opened:
        theirs = np.asarray(opened.resize((96, 96), Pillow.Resampling.BILINEAR)).astype(int)
    assert np.abs(ours - theirs).mean() < 2 and np.abs(ours - theirs).max() < 24


def test_unreadable_pictures_are_named_skipped_and_counted(published, tmp_path):
    torn = published / "train" / "bass house-0train.jpg"
    torn.write_bytes(torn.read_bytes()[:200])
    (published / "val" / "melodic house-1val.jpg").write_bytes(b"no picture")
    (published / "test" / "bass house-9test.jpg").symlink_to(tmp_path / "gone.jpg")
    with pytest.warns(
        UserWarning, match="3 of 25 pictures cannot be read: bass house-0train.jpg: .*; melodic house-1val"
    ):
        found = decode(folders.housex(published), GENRES, 32, tmp_path / "c", share=0.2, workers=1)
    assert len(found["train"]) == 7 and len(found["val"]) == 7 and len(found["test"]) == 8
    assert [s.split(":")[0] for s in found["train"].skipped] == [
        "bass house-0train.jpg",
        "melodic house-1val.jpg",
        "bass house-9test.jpg",
    ]
    with pytest.raises(
        InvalidValue, match=r"3 of 25 pictures cannot be read, at most 1.0% may be skipped: bass house-0train.jpg"
    ):
        decode(folders.housex(published), GENRES, 32, tmp_path / "c", workers=1)
    for path in (published / "val").glob("bass house-*"):
        path.write_bytes(b"nor this")
    with pytest.raises(InvalidValue, match=r"what is left without 5 unreadable .*'bass' is missing from val"):
        decode(folders.housex(published), GENRES, 32, tmp_path / "c", share=0.5, workers=1)


def test_other_channel_counts(published, tmp_path):
    """Greys and transparency become RGB; a tensor of three axes is named."""
    grey = published / "train" / "bass house-0train.jpg"
    Pillow.new("L", (40, 40), 77).save(grey, "JPEG")
    found = decode(folders.housex(published), GENRES, 32, tmp_path / "c", workers=1)
    assert found["train"].values[0].tolist() == np.full((32, 32, 3), 77).tolist()
    np.save(published / "train" / "bass house-9train.npy", np.zeros((3, 128, 80), np.float32))
    with pytest.raises(
        InvalidValue, match=r"a mel tensor is finite float \(mel, frame\) in dB, got float32 \(3, 128, 80\)"
    ):
        decode(folders.housex(published), GENRES, 32, tmp_path / "d", workers=1)


def test_mel_tensors_are_coloured(published, tmp_path):
    np.save(
        published / "train" / "bass house-9train.npy",
        np.where(np.arange(128)[:, None] < 64, 0, -80.0) * np.ones((1, 80)),
    )
    values = decode(folders.housex(published), GENRES, 32, tmp_path / "d", workers=1)["train"].values[2]
    assert values[0, 0].tolist() == [0, 0, 3] and values[-1, 0].tolist() == [251, 252, 191]  # low notes below


@pytest.mark.parametrize("remove, said", [
    ("*/bass house-*", "the class 'bass' is empty"),
    ("val/future house-*", "the class 'future' is missing from val"),
    ("test/*", "has no test split"),
])  # fmt: skip
def test_what_is_missing_is_named(published, remove, said):
    for path in published.glob(remove):
        path.unlink()
    with pytest.raises(InvalidValue, match=said):
        folders.housex(published)


def test_the_same_track_or_picture_in_two_splits(published, tmp_path):
    jpeg(published / "train" / "bass house-Song~1.jpg", 1)
    jpeg(published / "test" / "bass house-Song~2.jpg", 2)
    with pytest.raises(InvalidValue, match="'Song' is in .* and in .*: a track or cover belongs to one split"):
        folders.housex(published)
    (published / "test" / "bass house-Song~2.jpg").unlink()
    (published / "test" / "bass house-77.jpg").write_bytes((published / "train" / "bass house-Song~1.jpg").read_bytes())
    with pytest.raises(InvalidValue, match="is the same file as .* in another split"):
        decode(folders.housex(published), GENRES, 32, tmp_path / "c", workers=1)
    with pytest.raises(InvalidValue, match="holds no mel pictures of HouseX"):
        folders.housex(tmp_path / "c")
    with pytest.raises(InvalidValue, match="is no folder: set data.root"):
        folders.housex(tmp_path / "nowhere")


def test_covers_split_a_cover_and_its_twin_together(tmp_path):
    for k in range(40):
        for g, source in enumerate(("ai", "human")):
            jpeg(tmp_path / source / f"album {k}.jpg", 20 + 99 * g, seed=k)
    entries = folders.covers(tmp_path)
    sizes = {s: sum(e.split == s for e in entries) for s in ("train", "val", "test")}
    assert sizes == {"train": 40, "val": 12, "test": 28}
    assert len({(e.group, e.split) for e in entries}) == 40
    jpeg(tmp_path / "train" / "ai" / "x.jpg", 3)
    with pytest.raises(InvalidValue, match="lies in no split while others do"):
        folders.covers(tmp_path)


def test_a_full_disk_leaves_no_torn_cache(published, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spectrogrand.training.pictures.cache.np.lib.format.write_array_header_1_0", full)
    with pytest.raises(MediaError, match="the disk is full"):
        decode(folders.housex(published), GENRES, 32, tmp_path / "c", workers=1)
    assert not list((tmp_path / "c").iterdir())


def labelled(count):
    values = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    return Labelled(values, np.arange(count) % 2, tuple(map(str, range(count))), ("a", "b"))


def test_batches_are_a_permutation_that_processes_share():
    whole = Batches(labelled(22), 4, seed=5)
    parts = [Batches(labelled(22), 4, seed=5, rank=r, world=2) for r in range(2)]
    for loader in (whole, *parts):
        loader.set_epoch(3)
    seen = [b[2].tolist() for b in whole]
    assert len(seen) == 5 and len(set(sum(seen, []))) == 20
    for both, one, other in zip(seen, *(list(p) for p in parts), strict=True):
        assert both == one[2].tolist() + other[2].tolist()
    whole.set_epoch(4)
    assert [b[2].tolist() for b in whole] != seen
    with pytest.raises(InvalidValue, match="a batch of 5 cannot be shared by 2 processes"):
        Batches(labelled(22), 5, seed=0, world=2)
    assert sum(len(b[1]) for b in InOrder(labelled(22), 4)) == 22


def test_a_loader_goes_on_where_it_was():
    first, second = (Batches(labelled(20), 4, seed=1) for _ in range(2))
    iterator = iter(first)
    before = [next(iterator)[2].tolist() for _ in range(2)]
    second.load_state_dict(first.state_dict())
    second.set_epoch(0)
    after = [b[2].tolist() for b in second]
    assert before + after == [b[2].tolist() for b in Batches(labelled(20), 4, seed=1)]


def test_augmentation_follows_from_seed_epoch_and_index_alone():
    pictures = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (6, 3, 24, 24), np.uint8))
    config = [{"name": n} for n in augment.AUGMENTATIONS]
    chain = augment.Chain(config)
    whole = chain(pictures, 1, 2, range(6))
    alone = torch.cat([chain(pictures[i : i + 1], 1, 2, [i]) for i in reversed(range(6))]).flip(0)
    assert torch.equal(whole, alone) and whole.dtype == torch.uint8 and whole.shape == pictures.shape
    assert not torch.equal(whole, chain(pictures, 1, 3, range(6))) and not torch.equal(
        whole, chain(pictures, 2, 2, range(6))
    )
    with pytest.raises(UnknownName, match="did you mean 'rotation'"):
        augment.Chain([{"name": "rotatio"}])
    with pytest.raises(UnknownName, match="augmentation 'rotation' has no setting 'degree'; did you mean 'degrees'"):
        augment.Chain([{"name": "rotation", "degree": 3}])


def test_a_table_of_256_values_is_the_parts_one_after_the_other():
    pictures = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).repeat(4, 3, 1, 1)
    config = [{"name": "posterize", "p": 0.5}, {"name": "brightness"}, {"name": "rotation"}, {"name": "brightness"}]
    chain = augment.Chain(config)
    u = torch.from_numpy(draws(3, 1, range(4), chain.count))
    assert [part is None for part, _ in chain._steps(u)] == [True, False, True]
    assert torch.equal(chain(pictures, 3, 1, range(4)), chain._changed(pictures, u))


def test_a_device_that_numpy_cannot_read_is_augmented_beside_it():
    """As Apple's, which `trainer.accelerator=auto` chooses on its own; stood in for by one that only ever holds shapes."""
    pictures = torch.randint(0, 256, (3, 3, 8, 8), dtype=torch.uint8)
    away = SimpleNamespace(device=torch.device("meta"), is_cuda=False, cpu=lambda: pictures)
    made = augment.Chain([{"name": "posterize", "p": 1.0}, {"name": "spec_augment"}])(away, 0, 0, [0, 1, 2])
    assert made.device.type == "meta" and made.shape == pictures.shape


def test_augmentations_by_torchvision():
    """One at a time, its parameter taken from our own draw."""
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import functional as F

    y, x = np.mgrid[:32, :32]
    picture = torch.from_numpy(np.stack([8 * x, 8 * y, 4 * (x + y)]).astype(np.uint8))[None]
    u = draws(0, 0, [0], 1)
    turned = augment.Chain([{"name": "rotation", "degrees": 30.0}])(picture, 0, 0, [0])
    theirs = F.rotate(picture, 30 * (2 * u[0, 0] - 1), InterpolationMode.NEAREST)
    assert (turned == theirs).float().mean() > 0.97
    assert torch.equal(augment.Chain([{"name": "posterize", "p": 1.0}])(picture, 0, 0, [0]), F.posterize(picture, 4))
    bright = augment.Chain([{"name": "brightness"}])(picture, 0, 0, [0])
    theirs = F.adjust_brightness(picture, 0.15 + 0.75 * u[0, 0])
    assert (bright.int() - theirs.int()).abs().max() <= 2
    shown = augment.Chain([{"name": "spec_augment", "times": 1, "bands": 0, "time": 0.5}])(picture, 0, 0, [0])[0, 0, 5]
    assert (shown == 0).sum() == pytest.approx(
        draws(0, 0, [0], 2)[0, 0] * 16 + 1, abs=1.5
    )  # column 0 is black by itself
    rolled = augment.Chain([{"name": "roll"}])(picture, 0, 0, [0])
    assert torch.equal(rolled, picture.roll(int(u[0, 0] * 32), 3))


def test_mixup_keeps_what_there_is():
    x, t = torch.rand(5, 3, 2, 2), torch.eye(5)
    mixed, targets = augment.mixed(x, t, 0.4, 0, 0, range(5))
    torch.testing.assert_close(mixed.sum((1, 2, 3)), (targets @ x.sum((1, 2, 3))))
    torch.testing.assert_close(targets.sum(1), torch.ones(5))


def test_one_trait_of_a_cover_does_not_tell_its_class():
    """The classes overlap in each trait; the best threshold is right in less than 90 of 100, all together in more than 95."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    labels = np.arange(4000) % 2
    rows = np.array([list(synthetic.traits(("ai", "human")[k], rng).values()) for k in labels])
    for column in rows.T:
        assert 0.75 < LogisticRegression().fit(column[:, None], labels).score(column[:, None], labels) < 0.9
    assert LogisticRegression(max_iter=999).fit(rows, labels).score(rows, labels) > 0.95


def test_synthetic_songs_are_split_by_song_and_made_once(tmp_path, monkeypatch):
    settings = {"count": 20, "seconds": 2.0, "side": 32, "sound": False, "seed": 0, "workers": 1}
    monkeypatch.setattr(synthetic, "_song", lambda job: np.full((2, 32, 32, 3), job[0], np.uint8))
    found = synthetic.songs(tmp_path, **settings)
    assert {k: len(v) for k, v in found.items()} == {"train": 24, "val": 8, "test": 8}
    groups = [set(part.groups) for part in found.values()]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert all(np.bincount(part.labels).tolist() == [len(part) // 4] * 4 for part in found.values())
    monkeypatch.setattr(synthetic, "_song", lambda job: pytest.fail("made again"))
    synthetic.songs(tmp_path, **settings)
    with pytest.raises(InvalidValue, match="at least 20 songs"):
        synthetic.songs(tmp_path, **{**settings, "count": 8})


def test_synthetic_pictures_are_two_classes_of_one_kind(tmp_path):
    found = synthetic.pictures(tmp_path, count=10, side=32, seed=0, workers=1)
    assert found["train"].values.shape == (6, 32, 32, 3) and found["train"].classes == ("ai", "human")
    again = synthetic.pictures(tmp_path / "other", count=10, side=32, seed=0, workers=1)
    np.testing.assert_array_equal(found["test"].values, again["test"].values)


def test_every_config_binds():
    from spectrogrand.training.fusion_.recipe import FusionRecipe
    from spectrogrand.training.loop.entry import bound
    from spectrogrand.training.loop.optim import Recipe
    from spectrogrand.training.pictures.augment import Chain
    from spectrogrand.training.pictures.data import DATASETS
    from spectrogrand.training.pictures.models import make
    from spectrogrand.training.style.task import StyleRecipe

    kinds = {"fusion": FusionRecipe, "published_fusion": FusionRecipe, "stylizer": StyleRecipe}
    for path in (CONF / "recipe").glob("[!d]*.yaml"):
        task = "surprise" if "surprise" in path.stem else "genre"
        Chain(bound(kinds.get(path.stem, Recipe), compose(task, [f"recipe={path.stem}"])["recipe"], path.stem).augment)
    for group, function in (("data", None), ("model", make)):
        for path in (CONF / group).glob("*.yaml"):
            if path.stem in ("defaults", "fusion", "stylizer", "albums", "style", "captioned", "lora"):
                continue  # of the other scripts, whose own tests run them
            task = "genre" if "genre" in path.stem or path.stem in ("housex", "timm") else "surprise"
            config = compose(task, [f"{group}={path.stem}"])[group]
            names = function.__code__.co_varnames if function else DATASETS[config["name"]].__code__.co_varnames
            assert set(config) - {"name"} <= set(names), path
    texts = [p.read_text() for p in CONF.rglob("*.yaml")]
    assert len(texts) > 10 and not any("_target_" in t or "_partial_" in t for t in texts)


def test_the_published_recipes_are_the_published_ones():
    genre, surprise = (compose(task, ["experiment=published"]) for task in ("genre", "surprise"))
    wanted = {"optimizer": "sgd", "lr": 0.002, "batch_size": 4, "epochs": 20, "checkpoint": "last", "augment": []}
    assert {k: genre["recipe"][k] for k in wanted} == wanted and genre["model"]["name"] == "resnet_genre"
    wanted = {"optimizer": "sgd", "lr": 0.0884, "batch_size": 64, "epochs": 50, "checkpoint": "last"}
    assert {k: surprise["recipe"][k] for k in wanted} == wanted
    assert surprise["model"]["head"] == "published" and surprise["model"]["freeze"] == "baseline"
    assert [a["name"] for a in surprise["recipe"]["augment"]] == ["posterize", "brightness", "rotation"]


def test_the_door_says_what_is_wrong_in_one_line(capsys):
    seen = []
    assert main("genre", seen.append, ["-m", "seed=0,1", "data.root=/a, b"]) == 0
    assert [c["seed"] for c in seen] == [0, 1] and seen[0]["data"]["root"] == "/a, b"
    for words, said in (
        (["recipe=our"], "no choice 'our' for recipe"),
        (["sed=1"], "did you mean 'seed'"),
        (["x"], "'x' is no"),
    ):
        assert main("genre", seen.append, words) == 2
        assert said in capsys.readouterr().err

    def full(config):
        raise OSError(28, "No space left on device", "metrics.csv")

    assert main("genre", full, ["seed=1"]) == 1
    assert capsys.readouterr().err == "train genre: No space left on device: metrics.csv; mend that and run again\n"
    assert (
        main("genre", seen.append, ["--help"]) == 0
        and "data: albums, captioned, covers, csv, folder, housex, style, synthetic" in capsys.readouterr().out
    )
    assert points(["seed=1"]) == [["seed=1"]]
    with pytest.raises(ConfigError):
        points(["-m", "seed=1,(2"])


def test_a_data_set_for_the_other_task_is_refused(tmp_path):
    with pytest.raises(InvalidValue, match="data=covers is for train/surprise.py, not for train/genre.py"):
        Pictures({"name": "covers", "root": "x"}, "genre", 96, 4, seed=0, cache=tmp_path).setup()
    with pytest.raises(ConfigError, match="data set 'housex' needs root: set root="):
        Pictures({"name": "housex", "root": None}, "genre", 96, 4, seed=0, cache=tmp_path).setup()
    with pytest.raises(UnknownName, match="did you mean 'covers'"):
        Pictures({"name": "cover"}, "surprise", 96, 4, seed=0, cache=tmp_path)


def test_checkpoints_hold_plain_data_only(tmp_path, monkeypatch):
    class Thing:
        pass

    path = tmp_path / "a" / "a.ckpt"
    checkpoints.save({"x": torch.ones(2), "s": torch.Size([1, 2]), "n": np.float32(3)}, path)
    assert checkpoints.load(path) == {"x": pytest.approx(torch.ones(2)), "s": (1, 2), "n": 3.0}
    with pytest.raises(InvalidValue, match=r"checkpoint.m\[0\] is Thing"):
        checkpoints.save({"m": [Thing()]}, path)
    assert checkpoints.load(path)["n"] == 3.0
    torch.save({"config": tmp_path}, tmp_path / "pickled.ckpt")
    with pytest.raises(InvalidValue, match="pickled objects, which could run code; nothing of it was run"):
        checkpoints.load(tmp_path / "pickled.ckpt")
    (tmp_path / "torn.ckpt").write_bytes(path.read_bytes()[:-40])
    (tmp_path / "text.ckpt").write_bytes(b"x" * 100)
    for name in ("torn", "text"):
        with pytest.raises(InvalidValue, match="is torn or no checkpoint"):
            checkpoints.load(tmp_path / f"{name}.ckpt")
    before = path.read_bytes()
    monkeypatch.setattr(torch, "save", lambda *a: (_ for _ in ()).throw(RuntimeError("PytorchStreamWriter failed")))
    with pytest.raises(MediaError, match="the disk is full"):
        checkpoints.save({"n": 4}, path)
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == ["a.ckpt"]
