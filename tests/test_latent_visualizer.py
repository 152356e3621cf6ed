"""The latent visualizer end to end on a short song: what it leaves, what it reuses, what it refuses."""

import json

import numpy as np
import pytest

from spectrogrand import Audio, load_audio, load_video, media
from spectrogrand.config import compose
from spectrogrand.errors import ConfigError, SpectrograndError, UnknownName
from spectrogrand.pipelines.execute import execute
from spectrogrand.walks.classes import class_names
from spectrogrand.walks.latent_files import load

RATE = 22050


@pytest.fixture(scope="session")
def song(tmp_path_factory):
    """Two seconds and a bit, stereo, 44.1 kHz: notes and a beat."""
    t = np.arange(int(2.13 * 44100)) / 44100
    notes = np.sin(2 * np.pi * np.cumsum(np.array([220, 277.2, 329.6, 415.3])[(t * 3).astype(int) % 4]) / 44100)
    beat = np.exp(-(t % 0.5) / 0.04) * np.sin(2 * np.pi * 55 * t)
    path = tmp_path_factory.mktemp("song") / "short song.wav"
    media.save_audio(path, Audio(np.stack([0.3 * notes + 0.5 * beat, 0.3 * notes]).astype(np.float32), 44100))
    return path


def run(home, *words):
    base = ["pipeline=latent_visualizer", "size=48", "fps=10", f"output={home}", *words]
    report = execute(compose(base))
    return report.parent, json.loads((report.parent / "run.json").read_text())


def of(song, *words):
    return ["song=file", f"song.path={song}", *words]


def test_everything_promised_is_there(tmp_path, song):
    folder, record = run(tmp_path, *of(song, "seed=3"))
    video = load_video(folder / "visualizer.mp4")
    assert (video.count, video.fps, video.size) == (22, 10, (48, 48))
    assert record["state"] == "finished"
    drawn = [int(c) for c in np.random.default_rng(3).permutation(1000)[:12]]
    assert record["classes"]["chosen"] == [{"id": c, "name": class_names()[c]} for c in drawn]
    assert load(folder / "vectors.safetensors").classes == tuple(drawn)
    page = (folder / "report.html").read_text()
    assert "Latent walk" in page
    assert class_names()[drawn[0]].replace("'", "&#39;") in page
    assert (folder / "cover.png").stat().st_size > 100
    pictures = [p.copy() for p in video]
    assert np.mean([p.std() for p in pictures]) > 15, "something is drawn"
    assert np.abs(pictures[0].astype(int) - pictures[-1]).mean() > 2, "and it moves"


def test_what_is_known_is_not_made_again(tmp_path, song):
    one, first = run(tmp_path, *of(song))
    other, second = run(tmp_path, *of(song))
    assert first["files"]["visualizer.mp4"]["sha256"] == second["files"]["visualizer.mp4"]["sha256"]
    assert next(s for s in second["steps"] if s["slot"] == "visualizer video")["reused"] == 1
    for words in (["jitter=0.9"], ["walk.symmetry=3"], ["seed=1"], ["tempo_sensitivity=0.8"], ["classes=[1,2,3]"]):
        _, changed = run(tmp_path, *of(song, *words))
        assert changed["files"]["visualizer.mp4"]["sha256"] != first["files"]["visualizer.mp4"]["sha256"], words


def test_lyrics_and_topics_choose_the_classes(tmp_path, song):
    lyrics = tmp_path / "lyrics.txt"
    lyrics.write_text("all my money in the bank\ncash and gold and diamonds\n")
    _, record = run(tmp_path, *of(song, f"lyrics={lyrics}"))
    assert record["classes"]["how"] == "from the lyrics, contextual"
    assert {"safe", "piggy bank", "wallet"} & {c["name"] for c in record["classes"]["chosen"]}
    assert record["parts"]["text"]["name"] == "lexicon"
    _, record = run(tmp_path, *of(song, "topic=waves on the ocean shore", "choice=set", "num_classes=3"))
    assert record["classes"]["how"] == "from the topic, set"
    assert len(record["classes"]["chosen"]) == 3


def test_class_names_are_embedded_once(tmp_path, song, monkeypatch):
    from spectrogrand.plugins.embedders.lexicon import Lexicon

    asked = []
    real = Lexicon.embed
    monkeypatch.setattr(Lexicon, "embed", lambda self, batch: asked.append(len(batch)) or real(self, batch))
    for text in ("a b c night", "the sea"):
        lyrics = tmp_path / "lyrics.txt"
        lyrics.write_text(text)
        run(tmp_path, *of(song, f"lyrics={lyrics}"))
    assert asked.count(1000) == 1


def test_duration_cuts_sound_and_pictures(tmp_path, song):
    folder, _ = run(tmp_path, *of(song, "duration=1.2"))
    video = load_video(folder / "visualizer.mp4")
    assert video.count == 12
    assert float(load_audio(folder / "visualizer.mp4").duration) == pytest.approx(1.2, abs=0.06)
    longer, _ = run(tmp_path, *of(song, "duration=60"))
    assert load_video(longer / "visualizer.mp4").count == 22


def test_saved_vectors_are_used_again(tmp_path, song):
    folder, record = run(tmp_path, *of(song, "classes=[30,31,32]", "truncation=0.5"))
    again, other = run(tmp_path, *of(song, f"vectors={folder / 'vectors.safetensors'}"))
    assert other["files"]["vectors.safetensors"] == record["files"]["vectors.safetensors"]
    assert other["files"]["visualizer.mp4"]["sha256"] == record["files"]["visualizer.mp4"]["sha256"]
    assert [c["id"] for c in other["classes"]["chosen"]] == [30, 31, 32]


def test_the_published_vectors_can_be_drawn(tmp_path, song):
    folder, _ = run(tmp_path, *of(song, "published=true", "fps=22050/512"))
    assert load(folder / "vectors.safetensors").others[:-1].min() > 0
    assert load_video(folder / "visualizer.mp4").count == -(-213 * 22050 // 51200)


@pytest.mark.parametrize("rate", ["30000/1001", "24"])
def test_any_rational_rate(tmp_path, song, rate):
    from fractions import Fraction

    folder, _ = run(tmp_path, *of(song, f"fps={rate}"))
    video = load_video(folder / "visualizer.mp4")
    assert video.fps == Fraction(rate)
    assert video.count == -(-Fraction(213, 100) * Fraction(rate) // 1)


@pytest.mark.parametrize("what", ["silence", "click", "10 ms"])
def test_sound_with_nothing_in_it_is_drawn(tmp_path, what):
    y = np.zeros(RATE if what != "10 ms" else 220, np.float32)
    if what == "click":
        y[RATE // 2] = 1
    if what == "10 ms":
        y += 0.3 * np.sin(np.arange(220) / 9).astype(np.float32)
    path = tmp_path / f"{what}.wav"
    media.save_audio(path, Audio(y[None], RATE))
    folder, _ = run(tmp_path, *of(path))
    assert load_video(folder / "visualizer.mp4").count == (1 if what == "10 ms" else 10)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fps=0"], "above 0 and at most 120, got '?0"), (["fps=-3"], "at most 120, got '?-3"), (["fps=1000"], "got '?1000"),
        (["walk.fps=1000"], "got '?1000"), (["num_classes=13"], "num_classes is a whole number from 1 to 12"),
        (["num_classes=0"], "num_classes is a whole number from 1 to 12"), (["classes=5"], "classes is a list of ImageNet ids"),
        (["classes=[5,5]"], "1 to 12 different"), (["classes=[5000]"], "from 0 to 999"), (["jitter=2"], "jitter is a number"),
        (["published=maybe"], "published is true or false"), (["selection=best"], "no selection rule 'best'"),
        (["sort_by_power=7"], "sort_by_power is true or false"),
        (["frame_length=100"], "multiple of 64"), (["choice=bst"], "did you mean 'best'"), (["duration=0"], "above 0"),
        (["duration=-1"], "duration is a number"), (["match=x"], "match is a number"), (["lyrics=nowhere.txt"], "no lyrics file"),
        (["vectors=nowhere.safetensors"], "names a run's vectors.safetensors"), (["walk.motion=9"], "motion from 0 to 3"),
        (["walk.symmetry=7"], "symmetry is null or one of"), (["walk.name=motion"], "walk=motion draws from Scene"),
        (["size=3"], "size is a whole"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_one_line(tmp_path, song, words, message):
    with pytest.raises(SpectrograndError, match=message) as told:
        run(tmp_path, *of(song, *words))
    assert "\n" not in str(told.value)


def test_lyrics_and_classes_exclude_each_other(tmp_path, song):
    lyrics = tmp_path / "l.txt"
    lyrics.write_text("la")
    with pytest.raises(ConfigError, match="both choose the classes"):
        run(tmp_path, *of(song, "classes=[1]", f"lyrics={lyrics}"))


def test_a_generator_of_other_things_cannot_walk(tmp_path, song):
    config = compose(["pipeline=latent_visualizer", f"output={tmp_path}", *of(song)])
    with pytest.raises(ConfigError, match="walk=motion draws from Scene, the slot gives LatentWalk"):
        execute({**config, "walk": {"name": "motion"}})
    with pytest.raises((ConfigError, UnknownName), match="walk"):
        execute({**config, "walk": None})


def test_no_song_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="no song: give song=file"):
        run(tmp_path)
