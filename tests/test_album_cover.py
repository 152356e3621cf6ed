"""album_cover: emotion from known sound, genres, prompts, and covers that follow the music."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spectrogrand import Audio, build, media
from spectrogrand.albums.brief import COLOURS, AlbumBrief, looks
from spectrogrand.albums.genres import known, singular, tags
from spectrogrand.audio.emotion import CIRCUMPLEX, Emotion, estimate
from spectrogrand.config import compose
from spectrogrand.errors import ConfigError, InvalidValue, MediaError, MissingExtra, UnknownName
from spectrogrand.image.inks import colour_word, linear_to_oklab
from spectrogrand.pipelines.execute import execute

RATE = 22050


def played(bpm, minor, level, partials, seconds=12):
    """Chords I IV V I (or i iv v i), struck on every beat, as a rising bell of `partials` partials at `level` (full scale)."""
    t = np.arange(int(seconds * RATE)) / RATE
    since = t % (60 / bpm)
    roots = np.array([0, 5, 7, 0])[(t / (240 / bpm)).astype(int) % 4]
    sound = 0
    for interval in (0, 3 if minor else 4, 7):
        phase = 2 * np.pi * np.cumsum(220 * 2 ** ((roots + interval) / 12)) / RATE
        sound = sound + sum(np.sin(h * phase) / h**2 for h in range(1, partials + 1))
    struck = np.exp(-since / (0.4 * 60 / bpm))
    hiss = np.random.default_rng(0).standard_normal(len(t)) * np.exp(-(since % (30 / bpm)) / 0.02) * (partials > 4)
    sound = sound / np.abs(sound).max() * struck + 0.4 * hiss
    return Audio((level * sound / np.abs(sound).max())[None].astype(np.float32), RATE)


def test_fast_loud_major_is_glad_and_slow_quiet_minor_is_sad():
    glad, sad = estimate(played(150, False, 0.9, 8)), estimate(played(55, True, 0.05, 2))
    assert glad.arousal > 0.1 > -0.5 > sad.arousal
    assert glad.valence > 0.2 > -0.5 > sad.valence
    assert glad.mode > 0.2 > -0.2 > sad.mode
    assert set(sad.words(3)) <= {"sad", "gloomy", "depressed", "miserable", "bored", "droopy"}
    assert set(glad.words(3)) <= {"happy", "delighted", "excited", "astonished", "aroused"}


@pytest.mark.parametrize("of, more, less", [
    ("arousal", (150, True, 0.5, 4), (60, True, 0.5, 4)), ("arousal", (110, True, 0.9, 4), (110, True, 0.05, 4)),
    ("valence", (110, False, 0.5, 4), (110, True, 0.5, 4)), ("tension", (150, True, 0.9, 4), (60, False, 0.1, 4)),
])  # fmt: skip
def test_one_change_at_a_time_moves_the_estimate_its_way(of, more, less):
    assert getattr(estimate(played(*more)), of) > getattr(estimate(played(*less)), of) + 0.1


def test_an_estimate_is_the_same_twice_and_bounded_for_odd_sounds(rng):
    for samples in (np.zeros(RATE), rng.standard_normal(RATE) * 0.3, np.eye(1, 3000)[0]):
        sound = Audio(samples[None].astype(np.float32), RATE)
        assert estimate(sound) == estimate(Audio(sound.samples.copy(), RATE))
        assert all(np.isfinite(v) for v in estimate(sound).as_dict().values())
        assert all(-1 < getattr(estimate(sound), k) < 1 for k in ("arousal", "valence", "tension", "mode"))
    with pytest.raises(InvalidValue, match="from Audio"):
        estimate(np.zeros(3))


def test_emotion_words_are_the_nearest_in_angle():
    for word, degrees in CIRCUMPLEX.items():
        v, a = 0.7 * np.cos(np.radians(degrees)), 0.7 * np.sin(np.radians(degrees))
        assert Emotion(a, v, 0, 120, 3, 1500, -16, 0).words(1) == (word,)
    with pytest.raises(InvalidValue, match="between 1 and 28"):
        Emotion(0, 0, 0, 120, 3, 1500, -16, 0).words(29)


@pytest.mark.parametrize("cell, genre", [
    ("['Alternative rock', 'Britpop']", "rock"), ("K-Pop", "pop"),
    ("deep house, techno", "electronic"), ("West Coast hip-hop", "hip hop"),
    ("Black metal", "metal"), ("neo soul", "r&b"), ("Dubstep", "electronic"),
    ("dub", "reggae"), ("scrap sounds", ""), ("trapeze", ""),
    ("unheard of; Bluegrass[3]", "country"), ("[", ""), ("['unclosed", ""), ("", ""), ("folk" * 9999, ""),
])  # fmt: skip
def test_genres_are_normalised_by_whole_words(cell, genre):
    assert singular(cell) == genre and (not genre or genre in known())


def test_a_list_in_a_cell_is_data_and_never_code(tmp_path):
    assert tags(f"[open('{tmp_path}/x', 'w')]") and not (tmp_path / "x").exists()


def brief(feeling, **more):
    return AlbumBrief("Rain", "jazz", "red", "blends", album="Rain", feeling=feeling, **more)


GLAD = Emotion(0.7, 0.8, 0.0, 140.0, 6.0, 3000.0, -8.0, 0.9)
SAD = Emotion(-0.7, -0.7, 0.0, 60.0, 1.0, 500.0, -30.0, -0.9)


def test_prompts_are_the_published_sentences():
    feeling = replace(SAD)
    assert brief(feeling).prompt == "Create an album cover for the album 'Rain'. The genre is jazz."
    named = brief(feeling, emotions=("sad", "gloomy"), style="album_genre_emotions", artist="Somebody")
    assert named.prompt.endswith("The genre is jazz. The emotions are sad, gloomy.") and "Somebody" not in named.prompt
    assert brief(feeling, lyrics="la " * 200, style="lyrics").prompt.split() == ["la"] * 60
    with pytest.raises(InvalidValue, match="lyric_file"):
        brief(feeling, style="lyrics")
    with pytest.raises(UnknownName, match="did you mean 'lyrics'"):
        brief(feeling, style="lyric")


def test_colours_follow_the_music_as_in_the_literature():
    glad, sad = ([colour_word(c) for c, _ in looks(f, 3)] for f in (GLAD, SAD))
    assert np.mean([c[0] for c in glad]) > np.mean([c[0] for c in sad]) + 0.1, "glad music is lighter"
    assert np.mean([c[1] for c in glad]) > np.mean([c[1] for c in sad]) + 0.05, "and more saturated"
    assert len({c for c, _ in looks(GLAD, len(COLOURS))}) == len(COLOURS)


def test_the_same_words_and_seed_give_a_cover_that_follows_the_song():
    generator = build("generators", {"name": "music_cover", "size": 64})
    means = []
    for feeling in (GLAD, SAD):
        briefs = [replace(brief(feeling), colour=c, word=w) for c, w in looks(feeling, 4)] * 3
        made = generator.generate(briefs, list(range(12)))
        lab = linear_to_oklab((np.stack([m.pixels for m in made]) / 255.0) ** 2.2)
        means.append((lab[..., 0].mean(), np.hypot(lab[..., 1], lab[..., 2]).mean()))
    assert means[0][0] > means[1][0] + 0.1 and means[0][1] > means[1][1] + 0.02


def test_music_at_share_0_leaves_the_words_alone():
    generator = build("generators", {"name": "music_cover", "size": 32, "music": 0.0})
    a, b = generator.generate([brief(GLAD), brief(SAD)], [5, 5])
    assert (a.pixels == b.pixels).all()
    generator = build("generators", {"name": "music_cover", "size": 32})
    a, b = generator.generate([brief(GLAD), brief(SAD)], [5, 5])
    assert (a.pixels != b.pixels).any()


def test_the_pipeline_end_to_end_and_again_from_the_store(tmp_path):
    media.save_audio(tmp_path / "my song.wav", played(150, False, 0.9, 8, 6))
    words = [
        "pipeline=album_cover",
        f"song.path={tmp_path / 'my song.wav'}",
        "album=Rain, (Live)",
        "artist=A 'B'",
        "genres=Bossa nova",
    ]
    words += [
        "artist=A 'B'",
        "genres=Bossa nova",
        f"output={tmp_path / 'out'}",
        "covers=2",
        "cover.size=64",
        "prompt=album_genre_emotions",
    ]
    for reused in (0, 2):
        record = json.loads((execute(compose(words)).parent / "run.json").read_text())
        assert record["state"] == "finished" and record["topic"] == "Rain, (Live)"
        assert next(s for s in record["steps"] if s["slot"] == "cover")["reused"] == reused
    assert record["facts"][:2] == ["A 'B'", "latin"] and record["emotion"]["arousal"] > 0
    row = record["choices"]["cover"]["candidates"][0]["brief"]
    assert row["genre"] == "latin" and set(row["song"]) == {"sound"} and row["feeling"]["mode"] > 0
    page = next((tmp_path / "out").glob("*/report.html")).read_text()
    assert "latin" in page and record["emotion"]["words"][0] in page


@pytest.mark.parametrize("words, error, said", [
    (["album=x"], ConfigError, "song.path=FILE"), (["song.path=a.wav", "prompt=lyrics"], ConfigError, "lyric_file=FILE"),
    (["song.path=a.wav", "prompt=lyric"], UnknownName, "did you mean 'lyrics'"),
    (["song.path=a.wav", "emotions=99"], ConfigError, "from 1 to 28"),
    (["song.path=a.wav", "prompt=lyrics", "lyric_file=nowhere.txt"], ConfigError, "cannot read the lyrics"),
])  # fmt: skip
def test_bad_settings_are_one_line_before_anything_is_made(words, error, said, tmp_path):
    with pytest.raises(error, match=said):
        execute(compose(["pipeline=album_cover", f"output={tmp_path}", *words]))
    assert not list(tmp_path.glob("*/*.png"))


def test_the_runs_size_is_the_covers(tmp_path):
    """`size` counts before the generator's own; without it the generator's own holds."""
    media.save_audio(tmp_path / "a.wav", played(150, False, 0.9, 8, 6))
    words = ["pipeline=album_cover", f"song.path={tmp_path / 'a.wav'}", f"output={tmp_path / 'out'}", "covers=1"]
    for size, expected in ((["size=48"], 48), (["cover.size=32"], 32), (["cover=procedural_cover", "size=40"], 40)):
        report = execute(compose([*words, *size]))
        assert media.load_image(report.parent / "cover.png").size == (expected, expected)
        assert json.loads((report.parent / "run.json").read_text())["config"]["cover"]["size"] == expected
    assert build("generators", compose(words)["cover"]).size == 1024 and compose(words)["size"] is None


def test_a_size_that_cannot_be_drawn_is_said_before_anything_is_made(tmp_path):
    from tiny_stable_diffusion import stable_diffusion

    media.save_audio(tmp_path / "a.wav", played(150, False, 0.9, 8, 2))
    stable_diffusion(tmp_path / "weights" / "fused_diffusion")
    words = ["pipeline=album_cover", f"song.path={tmp_path / 'a.wav'}", f"output={tmp_path / 'out'}"]
    fused = ["cover=fused_diffusion", f"weights={tmp_path / 'weights'}"]
    for more, error, said in (
        (["size=8"], ConfigError, "size is a whole number"), (["size=5000"], ConfigError, "size is a whole number"),
        (["cover=picture", "size=64"], ConfigError, "cannot be told a size"),
        ([*fused, "size=250"], InvalidValue, r"multiples of \d+ pixels, got 250: size=2\d\d"),
        ([*fused, "cover.fusion=gone.safetensors"], MissingExtra, "finds no gone.safetensors"),
    ):  # fmt: skip
        with pytest.raises(error, match=said) as told:
            execute(compose([*words, *more]))
        assert "\n" not in str(told.value) and not (tmp_path / "out").exists(), more


def test_files_that_are_not_there_are_named_before_anything_is_made(tmp_path):
    media.save_audio(tmp_path / "a.wav", played(150, False, 0.9, 8, 2))
    (tmp_path / "empty.txt").write_text(" ")
    for more, error, said in (
        (["song.path=gone.wav"], MediaError, "no sound file"), ([f"song.path={tmp_path}"], MediaError, "is a folder"),
        ([f"song.path={tmp_path / 'a.wav'}", "lyric_file=gone.txt"], ConfigError, "cannot read the lyrics"),
        ([f"song.path={tmp_path / 'a.wav'}", f"lyric_file={tmp_path / 'empty.txt'}"], ConfigError, "holds no lyrics"),
    ):  # fmt: skip
        with pytest.raises(error, match=said) as told:
            execute(compose(["pipeline=album_cover", f"output={tmp_path / 'out'}", *more]))
        assert "\n" not in str(told.value) and not (tmp_path / "out").exists(), more


@pytest.mark.parametrize("experiment, style, fused", [
    ("album_lyrics", "lyrics", False), ("album_emotions", "album_genre_emotions", False), ("album_genre", "album_genre", False),
    ("album_fused", "album_genre", True),
])  # fmt: skip
def test_the_four_published_experiments_are_configs(experiment, style, fused):
    config = compose([f"experiment={experiment}", "song.path=a.wav", "lyric_file=a (b), c.txt"])
    cover = config["cover"]
    assert config["pipeline"] == "album_cover" and config["prompt"] == style and cover["name"] == "fused_diffusion"
    assert config["lyric_file"] == "a (b), c.txt"
    generator = build("generators", cover)
    assert (generator.seconds, generator.size, generator.sampler) == (25.0, 256, "pndm") and generator.steps <= 150
    assert bool(generator.fusion) is fused
    if fused:
        with pytest.raises(MissingExtra, match="train/fusion.py"):
            generator._fusion_file()


def test_the_fused_experiment_end_to_end_on_a_tiny_model(tmp_path):
    pytest.importorskip("diffusers")
    from tiny_stable_diffusion import WIDTH, stable_diffusion

    from spectrogrand.models.fusion import Fusion, FusionSettings

    stable_diffusion(tmp_path / "weights" / "fused_diffusion")
    Fusion(FusionSettings("linear", 124, WIDTH, 77, heads=4, embedder="timbre_rhythm")).save(tmp_path / "f.safetensors")
    media.save_audio(tmp_path / "song.wav", played(150, False, 0.9, 8, 6))
    words = [
        "experiment=album_fused",
        f"song.path={tmp_path / 'song.wav'}",
        "album=Rain",
        "genres=pop",
        "covers=2",
        "cover.size=64",
    ]
    words += [
        f"weights={tmp_path / 'weights'}",
        f"cover.fusion={tmp_path / 'f.safetensors'}",
        f"output={tmp_path / 'out'}",
    ]
    words += [
        "cover.steps=2",
        *(f"gates.{g}_picture=null" for g in ("noise", "blank")),
    ]
    record = json.loads((execute(compose(words)).parent / "run.json").read_text())
    assert record["state"] == "finished" and record["parts"]["cover"]["identity"]["fusion"]
    assert record["choices"]["cover"]["candidates"][1]["file"] == "covers/1.png"
