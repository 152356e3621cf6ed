"""Training on data of one's own: folders and tables of any classes, sounds, several labels, and what is refused."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image as Pillow

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
import training_kills  # noqa: E402
import yaml  # noqa: E402

from spectrogrand import Audio, build, media  # noqa: E402
from spectrogrand.errors import ConfigError, InvalidValue, UnknownName  # noqa: E402
from spectrogrand.training.loop.entry import main  # noqa: E402
from spectrogrand.training.loop.words import compose  # noqa: E402
from spectrogrand.training.pictures import anything  # noqa: E402
from spectrogrand.training.pictures import fit as fitting  # noqa: E402
from spectrogrand.training.pictures.hearing import windows  # noqa: E402

RATE = 22050
PITCHES = {"drone": 110.0, "glass": 1760.0, "hum": 220.0, "whistle": 3520.0}


def tone(hertz, seconds, seed):
    t = np.arange(int(seconds * RATE)) / RATE
    noise = 0.02 * np.random.default_rng(seed).standard_normal(len(t))
    wave = 0.5 * np.sin(2 * np.pi * hertz * (1 + 0.02 * (seed % 5)) * t)
    return Audio((wave + noise).astype(np.float32)[None], RATE)


def picture(path, level, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).normal(level, 20, (24, 24, 3))
    Pillow.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(path)


def words(root, output, *more):
    return [
        f"data.root={root}", "data.workers=1", f"output={output}", "model=timm", "model.name=test_resnet",
        "model.initial=scratch", "model.side=32", "recipe.batch_size=8", "recipe.precision=32-true", "recipe.mixup=0.0",
        "recipe.augment=[]", "recipe.ema=0.0", "recipe.lr=0.003", "trainer.accelerator=cpu", "trainer.threads=1",
        "trainer.enable_progress_bar=false", "logger=none", *more,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """Four invented genres in sound, trained and exported by the commands of docs/training.md."""
    home = tmp_path_factory.mktemp("heard")
    for genre, hertz in PITCHES.items():
        (home / "songs" / genre).mkdir(parents=True)
        for k in range(8):
            media.save_audio(home / "songs" / genre / f"{genre} {k}.wav", tone(hertz, 6.0, k))
    from train.export import export

    config = compose("genre", ["data=folder", *words(home / "songs", home / "runs", "recipe.epochs=12", "name=own")])
    found = fitting.fit(config)
    table = export(home / "runs" / "own", home / "weights", onnx=False)
    return home, found, table


def test_four_invented_genres_are_learned_from_sound_and_used(heard):
    home, found, table = heard
    assert found["accuracy"] >= 0.9 and found["track_accuracy"] >= 0.9
    assert table["safetensors"]["accuracy"] == pytest.approx(found["accuracy"])
    genre = build("classifiers", {"name": "timm_genre", "weights": str(home / "weights"), "device": "cpu"})
    shares, names = genre.classify([tone(h, 4.0, 99) for h in PITCHES.values()])
    assert names == tuple(sorted(PITCHES)) and np.allclose(shares.sum(1), 1)
    assert [names[int(row.argmax())] for row in shares] == list(PITCHES), "the pipeline draws what the training drew"


def test_the_export_drafts_words_that_a_run_takes(heard, monkeypatch, capsys):
    """The third command of docs/training.md in its smallest form."""
    from spectrogrand.__main__ import main as command

    home = heard[0]
    monkeypatch.chdir(home)
    drafted = yaml.safe_load((home / "weights" / "words.yaml").read_text("utf-8"))
    assert list(drafted) == sorted(PITCHES) and len({tuple(v["colours"]) for v in drafted.values()}) == 4
    small = ["topic=the sea", "genre=timm_genre", f"weights={home / 'weights'}", "song=file", f"song.path={home}/s.wav"]
    small += ["song_scorers=[]", "cover_scorers=[]", "gates=[]", "covers=1", "cover.size=64", "size=64", "videos=[]"]
    media.save_audio(home / "s.wav", tone(PITCHES["glass"], 4.0, 77))
    assert command(["run", *small, f"words={home / 'weights' / 'words.yaml'}"]) == 0
    (record,) = (home / "outputs").glob("*/run.json")
    found = json.loads(record.read_text("utf-8"))
    assert found["genre"]["chosen"] == "glass" and found["config"]["words"] == drafted
    assert command(["run", *small]) == 2
    assert "words has no colours and words for drone, one of the classes drone, glass" in capsys.readouterr().err
    assert len(list((home / "outputs").glob("*/run.json"))) == 1, "told before anything is made"


def test_words_are_checked_line_by_line(tmp_path):
    from spectrogrand.pipelines._briefs import check_words

    good = {"colours": ["grey"], "words": ["hums"]}
    assert check_words("words", {"01": good, "été": good}) == {"01": good, "été": good}
    for wrong, told in (
        ("1: {colours: [grey], words: [hums]}", r"the genre 1 is no text: put it between quotes, '1'"),
        ("fog: {colours: grey, words: [hums]}", "fog has no list of colours"),
        ("fog: {colours: [grey], words: []}", "fog has no list of words"),
        ("fog: {colours: [grey], words: [1]}", "fog has no list of words"),
        ("- fog", "holds no mapping of genres"),
        ("fog: [", "cannot read colours and words from"),
    ):
        (tmp_path / "w.yaml").write_text(wrong, "utf-8")
        with pytest.raises(ConfigError, match=told):
            check_words("words", {"file": str(tmp_path / "w.yaml")})


def test_a_target_that_the_weights_do_not_know_is_told_before_anything_is_made(tmp_path):
    import tiny_trained

    tiny_trained.save(tmp_path)
    part = build("scorers", {"name": "timm_surprise", "weights": str(tmp_path), "target": "humen", "device": "cpu"})
    with pytest.raises(InvalidValue, match="knows ai, human, not humen: set target to one of them"):
        part.inspect()


def test_a_folder_of_pictures_is_split_by_stem_without_a_leak(tmp_path):
    for g, name in enumerate(("2", "10", "été")):
        for k in range(20):
            picture(tmp_path / name / f"{name}-{k // 2}~{k % 2}.png", 60 * g + 40, k)
    entries, classes, sounds = anything.folder(tmp_path)
    assert classes == ("10", "2", "été") and not sounds, "labels that look like numbers are names"
    places = {}
    for e in entries:
        assert places.setdefault(e.group, e.split) == e.split
    assert {e.split for e in entries} == {"train", "val", "test"}
    again = anything.folder(tmp_path)[0]
    assert [(e.path, e.split) for e in entries] == [(e.path, e.split) for e in again]
    few = anything.fewer(entries, 0.3, 0)
    assert {e.label for e in few if e.split == "train"} == set(classes)
    assert [e for e in few if e.split == "test"] == [e for e in entries if e.split == "test"]
    assert sum(e.split == "train" for e in few) < 0.5 * sum(e.split == "train" for e in entries)


def test_given_splits_are_kept(tmp_path):
    for split, count in (("train", 4), ("val", 2), ("test", 2)):
        for name in ("a", "b"):
            for k in range(count):
                picture(tmp_path / split / name / f"{split}{name}{k}.png", 90, k)
    entries = anything.folder(tmp_path)[0]
    assert all(e.path.parent.parent.name == e.split for e in entries)
    picture(tmp_path / "test" / "a" / "traina0.png", 90, 5)
    with pytest.raises(InvalidValue, match="'traina0' is in .* and in .*: a track or cover belongs to one split"):
        anything.folder(tmp_path)


def test_twins_of_one_stem_in_two_classes_share_a_split(tmp_path):
    for name in ("ink", "oil"):
        for k in range(12):
            picture(tmp_path / name / f"work {k}.png", 90, k)
    entries = anything.folder(tmp_path)[0]
    assert len({(e.group, e.split) for e in entries}) == 12


def test_songs_of_one_artist_share_a_split(tmp_path):
    av = pytest.importorskip("av")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for k in range(24):
            with av.open(str(tmp_path / name / f"{name}{k}.flac"), "w") as out:
                out.metadata["artist"] = f"{name} band {k // 2}"
                stream = out.add_stream("flac", rate=RATE, layout="mono")
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), "s16", "mono")
                frame.sample_rate = RATE
                for packet in [*stream.encode(frame), *stream.encode(None)]:
                    out.mux(packet)
    entries = anything.folder(tmp_path, group="artist")[0]
    assert {e.group for e in entries} == {f"artist {n} band {k}" for n in "ab" for k in range(12)}
    assert len({(e.group, e.split) for e in entries}) == 24


def test_several_labels_from_a_table(tmp_path):
    """Red, bright: two classes by themselves; an item has none but one, the other or both."""
    rng = np.random.default_rng(0)
    rows = []
    for k in range(90):
        red, bright = ((1, 0), (0, 1), (1, 1))[k % 3]
        level = np.array([60 + 80 * red + 60 * bright, 60 + 60 * bright, 60 + 60 * bright])
        values = np.clip(rng.normal(level, 15, (32, 32, 3)), 0, 255).astype(np.uint8)
        Pillow.fromarray(values).save(tmp_path / f"{k}.png")
        rows.append((f"{k}.png", ";".join(n for n, on in (("red", red), ("bright", bright)) if on)))
    with open(tmp_path / "labels.csv", "w", newline="") as out:
        csv.writer(out).writerows([("file", "label"), *rows])
    more = ["data=csv", f"data.csv={tmp_path / 'labels.csv'}", "data.multi_label=true", "recipe.epochs=10"]
    config = compose("surprise", words(tmp_path, tmp_path / "runs", *more))
    found = fitting.fit(config)
    assert found["accuracy"] >= 0.9 and found["average_precision"] >= 0.9 and "confusion" not in found
    assert "track_accuracy" not in found
    from spectrogrand.training.pictures.task import Classification

    module = Classification.load_from_checkpoint(f"{found['folder']}/best.ckpt")
    assert module.spec.multi_label and module.spec.classes == ("bright", "red")
    pixels = rng.normal((200, 120, 120), 15, (1, 32, 32, 3)).astype(np.uint8)
    both = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    with torch.no_grad():
        assert (module.eval().outputs(module.evaluated(), both).sigmoid() > 0.5).all()


def test_sounds_of_a_second_and_of_an_hour(tmp_path):
    media.save_audio(tmp_path / "short.wav", tone(440, 1.0, 0))
    (one,) = windows(tmp_path / "short.wav", 16)
    assert one.samples.shape == (1, round(1.875 * RATE)) and np.abs(one.samples[0, int(1.1 * RATE) :]).max() == 0
    import soundfile

    with soundfile.SoundFile(tmp_path / "long.flac", "w", 8000, 1) as out:
        for minute in range(60):
            out.write(np.full(60 * 8000, minute / 100, np.float32))
    found = windows(tmp_path / "long.flac", 16)
    assert {w.samples.shape for w in found} == {(1, 15000)} and len(found) == 16
    middles = np.array([w.samples[0, 7000] for w in found])
    assert np.all(np.diff(middles) > 0) and middles[0] == pytest.approx(0, abs=0.01) and middles[-1] > 0.57


def table(path, rows, head=("file", "label")):
    with open(path, "w", newline="") as out:
        csv.writer(out).writerows([head, *rows])
    return path


def test_what_is_wrong_with_data_is_told(tmp_path):
    home = tmp_path / "d"
    for k in range(4):
        picture(home / "a" / f"a{k}.png", 90, k)
    with pytest.raises(InvalidValue, match="holds one class, 'a': a classifier tells two or more apart"):
        anything.folder(home)
    picture(home / "b" / "only.png", 90, 9)
    with pytest.raises(InvalidValue, match="the class 'b' has 1 track or picture to be split: 3 are needed"):
        anything.folder(home)
    media.save_audio(home / "b" / "x.wav", tone(440, 1, 0))
    with pytest.raises(InvalidValue, match="holds 5 pictures and 1 sounds: choose data.input=pictures or sound"):
        anything.folder(home)
    with pytest.raises(UnknownName, match="did you mean 'album'"):
        anything.folder(home, group="albun")
    with pytest.raises(InvalidValue, match="names files that are not in .*line 2: 'gone.png'"):
        anything.table(home, table(tmp_path / "t.csv", [("gone.png", "a"), ("a/a0.png", "b")]))
    with pytest.raises(InvalidValue, match=r"line 2: '../t.csv'"):
        anything.table(home, table(tmp_path / "t.csv", [("../t.csv", "a")]))
    with pytest.raises(InvalidValue, match="line 3: a/a1.png has no label"):
        anything.table(home, table(tmp_path / "t.csv", [("a/a0.png", "1"), ("a/a1.png", " ")]))
    with pytest.raises(InvalidValue, match="has no column 'label'"):
        anything.table(home, table(tmp_path / "t.csv", [("a/a0.png", "1")], ("file", "genre")))
    with pytest.raises(InvalidValue, match="twice: with multi_label"):
        anything.table(home, table(tmp_path / "t.csv", [("a/a0.png", "1"), ("a/a0.png", "2")]))
    with pytest.raises(InvalidValue, match="no split 'tran'; did you mean 'train'"):
        anything.table(home, table(tmp_path / "t.csv", [("a/a0.png", "1", "tran")], ("file", "label", "split")))


def test_a_checkpoint_of_other_classes_is_refused(heard, tmp_path, capsys):
    from train.genre import fit

    shutil.copytree(heard[0] / "songs", tmp_path / "songs")
    (tmp_path / "songs" / "hum").rename(tmp_path / "songs" / "buzz")
    more = ["data=folder", "recipe.epochs=1", f"ckpt_path={heard[0] / 'runs' / 'own' / 'last.ckpt'}"]
    assert main("genre", fit, words(tmp_path / "songs", tmp_path / "runs", *more)) == 1
    assert (
        "the checkpoint's labels are drone, glass, hum, whistle, others than the data's buzz, drone"
        in capsys.readouterr().err
    )


def test_a_mistyped_network_is_told_before_decoding(tmp_path, capsys):
    from train.surprise import fit

    training_kills.pictures(tmp_path / "p", each=4)
    more = ["data=folder", "model.name=tf_efficientnet_lite", "cache=" + str(tmp_path / "cache")]
    assert main("surprise", fit, words(tmp_path / "p", tmp_path / "runs", *more)) == 2
    assert "did you mean 'tf_efficientnet_lite" in capsys.readouterr().err and not (tmp_path / "cache").exists()
