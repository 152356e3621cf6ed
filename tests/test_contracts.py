"""Every registered plug-in keeps its contract, and what must never win never does. A new plug-in is covered by its file."""

import functools
import importlib.util
from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import Audio, CoverBrief, Frames, Image, Scene, Topic, build, get, media, names, registry
from spectrogrand.albums.brief import AlbumBrief
from spectrogrand.errors import MissingExtra
from spectrogrand.selection import choose
from spectrogrand.testing import (
    check_classifier,
    check_embedder,
    check_gate,
    check_generator,
    check_scorer,
    check_stylizer,
)
from spectrogrand.walks.latents import LatentWalk, walk
from spectrogrand.walks.storyboard import Film, Keyframe, Walk

RATE = 22050
SETTINGS = {
    ("generators", "house_synth"): {"duration": 2.0},
    ("generators", "procedural_cover"): {"size": 128},
    ("generators", "music_cover"): {"size": 64},
    ("generators", "motion"): {"size": 64, "fps": "10"},
    ("generators", "song_file"): {"path": "{song}"},
    ("generators", "cover_file"): {"path": "{cover}", "size": 64},
    ("generators", "picture_file"): {"path": "{cover}", "longest": 64},
    ("generators", "blip"): {"weights": "{blip}", "prompt": "the", "max_tokens": 6},
    ("generators", "painted"): {"size": 64},
    ("generators", "morph"): {"size": 64},
    ("generators", "kandinsky"): {"weights": "{visuals}", "prior_steps": 2, "steps": 2, "size": 64},
    ("generators", "latent_walk"): {"weights": "{visuals}", "size": 32},
    ("generators", "lp_music_caps"): {"weights": "{visuals}", "tokens": 8},
    ("generators", "qwen2_audio"): {"weights": "{visuals}", "tokens": 4},
    ("generators", "music_flamingo"): {"weights": "{visuals}", "tokens": 4},
    ("generators", "pattern_latents"): {"size": 48, "fps": "8"},
    ("generators", "biggan"): {"weights": "{walks}", "resolution": 128, "fps": "3", "batch_size": 2},
    ("generators", "diffusion_latents"): {"weights": "{walks}", "size": 32, "fps": "3", "steps": 2, "batch_size": 2},
    ("generators", "fused_diffusion"): {"weights": "{sd}", "size": 32, "steps": 2},
    ("embedders", "musicgen_states"): {"weights": "{musicgen}", "seconds": 1.0},
    ("generators", "audioldm2"): {"weights": "{hub}", "steps": 2, "duration": 0.4},
    ("generators", "ace_step"): {"weights": "{hub}", "steps": 2, "duration": 0.4},
    ("generators", "musicgen"): {
        "weights": "{hub}",
        "prompt": "{topic}",
        "duration": 0.5,
        "window": 0.4,
        "overlap": 0.2,
    },
    ("generators", "stable_audio"): {"weights": "{hub}", "prompt": "{topic}", "steps": 2, "duration": 0.4},
    ("generators", "sdxl"): {"weights": "{hub}", "steps": 2, "size": 32},
    ("generators", "diffusers_image"): {"weights": "{hub}", "steps": 2, "size": 32},
    ("generators", "svd"): {
        "weights": "{hub}",
        "fps": "2",
        "width": 64,
        "height": 64,
        "frames": 2,
        "steps": 1,
        "seam": 1,
    },
    ("generators", "wan"): {
        "weights": "{hub}",
        "fps": "4",
        "rate": 4.0,
        "width": 32,
        "height": 32,
        "frames": 5,
        "steps": 1,
    },
    ("stylizers", "magenta"): {"weights": "{magenta}"},
    ("stylizers", "neural_style"): {"weights": "{squeezenet}", "size": 32, "steps": 1, "optimizer": "adam"},
    ("embedders", "clap"): {"weights": "{clap}"},
    ("scorers", "clap_novelty"): {"weights": "{clap}", "embedder": {"name": "clap", "weights": "{clap}"}},
    ("scorers", "clap_alignment"): {"topic": "the sea", "embedder": {"name": "clap", "weights": "{clap}"}},
    ("scorers", "laion_aesthetics"): {"weights": "{clap}"},
    ("classifiers", "timm_genre"): {"weights": "{trained}", "device": "cpu"},
    ("scorers", "timm_surprise"): {"weights": "{trained}", "device": "cpu"},
    ("embedders", "features_file"): {"path": "{features}"},
    ("embedders", "music_tagger"): {"weights": "{tagger}"},
    ("embedders", "music_tags"): {"weights": "{tagger}"},
    ("scorers", "tag_danceability"): {"weights": "{tagger}"},
    ("classifiers", "resnet_genre"): {"weights": "{published}", "device": "cpu"},
    ("scorers", "mobilenet_surprise"): {"weights": "{published}", "device": "cpu"},
    ("scorers", "vila"): {"weights": "{published}"},
    ("scorers", "effnet_danceability"): {"weights": "{published}", "pinned": False},
}
"""Settings that make a plug-in small, or that it cannot do without."""
SEEDLESS = (
    "song_file", "cover_file", "picture_file", "picture_words", "blip", "mir_caption", "lp_music_caps", "qwen2_audio",
    "music_flamingo", "latent_walk", "biggan",
)  # fmt: skip
CHECKS = {("generators", n): {"seeds_matter": False} for n in SEEDLESS}
CHECKS |= {  # models round otherwise in another batch
    ("generators", n): {"tolerance": 0.02}
    for n in ("audioldm2", "ace_step", "musicgen", "stable_audio", "sdxl", "diffusers_image", "svd", "wan")
}
CHECKS["embedders", "sentences"] = {"tolerance": 1e-5}
CHECKS["generators", "kandinsky"] = {"tolerance": 0.01}
CHECKS["generators", "fused_diffusion"] = {"tolerance": 2 / 255}  # a batch rounds sums otherwise than one alone
"""How a plug-in is checked where the default is too strict, with the reason: a file has no seed, a caption or a latent's mean is
not sampled, a network's sums round otherwise in a batch."""


def packaged(kind):
    """Names that are installed, without what other tests have registered in this process."""
    return [n for n in names(kind) if n in registry._files(kind) or n in registry._entries(kind)]


def every(*kinds):
    return [pytest.param(k, n, id=f"{k}-{n}") for k in kinds for n in packaged(k)]


def song(seed, seconds=3.0):
    """A small song: a kick on every beat, a hat between, a chord that changes."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    beat = 60 / (118 + 4 * seed)
    since = t % beat
    kick = np.exp(-since / 0.08) * np.sin(2 * np.pi * (50 * since + 8 * (1 - np.exp(-since / 0.02))))
    hat = 0.2 * np.exp(-((since + beat / 2) % beat) / 0.02) * rng.standard_normal(len(t))
    root = 110 * 2 ** (rng.permutation([0, 3, 5, 7])[(t / (2 * beat)).astype(int) % 4] / 12)
    phase = 2 * np.pi * np.cumsum(root) / RATE
    chord = sum(np.sin(r * phase) for r in (1, 1.2, 1.5, 2, 3)) / 10
    return Audio((0.6 * kick + hat + chord)[None].astype(np.float32), RATE)


def picture(seed, size=96):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    pixels = y[..., None] * rng.integers(60, 255, 3) + (1 - y[..., None]) * rng.integers(0, 120, 3)
    for _ in range(6):
        cx, cy, r = rng.random(3) * (1, 1, 0.3)
        pixels[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = rng.integers(0, 255, 3)
    return Image(pixels.astype(np.uint8))


@functools.cache
def inputs(wanted):
    """Three different values of a type that plug-ins take."""
    if wanted is Audio:
        return [song(k) for k in range(3)]
    if wanted is Image:
        return [picture(k) for k in range(3)]
    if wanted is Scene:
        return [Scene(picture(k), song(k, 1.0)) for k in range(3)]
    if wanted is CoverBrief:
        briefs = (("a city at night", "bass", "purple", "ascends"), ("the sea", "melodic", "green", "blends"))
        return [CoverBrief(*b) for b in briefs]
    if wanted is LatentWalk:
        return [walk(song(k, 1.0), [7 + k, 30, 954]) for k in range(3)]
    if wanted is AlbumBrief:
        albums = (("Rain", "jazz"), ("Sun", ""))
        return [AlbumBrief(a, g, "purple", "ascends", album=a, song=song(k)) for k, (a, g) in enumerate(albums)]
    if wanted is Keyframe:
        return [
            Keyframe("Calm music.", "folk", "folk art", (picture(0),)),
            Keyframe("Fast, loud music with heavy bass."),
        ]
    if wanted is Walk:
        return [Walk([picture(k), picture(k + 1)], np.array([0.0, 0.3, 1.0]), Fraction(10)) for k in range(2)]
    if wanted is Film:
        shows = [lambda k=k: (picture(j % (k + 2)).pixels for j in range(30)) for k in range(3)]
        moving = [Frames(show, (96, 96), 30, Fraction(10)) for show in shows]
        return [Film(frames, song(k)) for k, frames in enumerate(moving)]
    if wanted in (Topic, str):
        return [wanted(w) for w in ("a futuristic spaceship", "the calm sea at dawn", "an angry machine")]
    pytest.fail(f"the contract test has no sample of {wanted.__name__}: add one to inputs()")


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """A published scorer's or classifier's weights, tiny or random, made once: (its name) -> folder of weights."""
    place = tmp_path_factory.mktemp("published")
    needed = {"vila": ("tensorflow",), "effnet_danceability": ("tensorflow", "essentia")}

    def weights(name):
        for module in needed.get(name, ("torch", "torchvision")):
            if importlib.util.find_spec(module) is None:  # looked for, not imported: the two have a TensorFlow each
                pytest.skip(f"{name} needs {module}")
        import tiny_published

        return str(tiny_published.one(place, name))

    return weights


@pytest.fixture
def maker(tmp_path, shared, published):
    """What makes a plug-in with its sample settings; skips where an optional dependency is not installed."""
    return makers(tmp_path, shared, published)


def makers(tmp_path, shared, published):
    """(kind, name) -> what makes the plug-in with its sample settings, its tiny weights under `tmp_path`."""

    def prepare(kind, name):
        media.save_audio(tmp_path / "song.wav", song(0))
        media.save_image(tmp_path / "cover.png", picture(0))
        np.save(tmp_path / "features.npy", np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32))
        places = {
            "{features}": str(tmp_path / "features.npy"),
            "{song}": str(tmp_path / "song.wav"),
            "{cover}": str(tmp_path / "cover.png"),
            "{magenta}": str(shared / "models/magenta"),
            "{squeezenet}": str(shared / "models/squeezenet"),
            "{tagger}": str(shared / "models/music_tagger"),
        }
        settings = {k: places.get(v, v) if isinstance(v, str) else v for k, v in SETTINGS.get((kind, name), {}).items()}
        if "{clap}" in str(settings):
            import tiny_clap

            tiny_clap.write_all(tmp_path / "clap")
            inside = settings.get("embedder")
            settings |= {"embedder": {**inside, "weights": str(tmp_path / "clap")}} if inside else {}
            settings |= {"weights": str(tmp_path / "clap")} if "weights" in settings else {}
        if settings.get("weights") == "{blip}":
            from tiny_blip import tiny_blip

            settings["weights"] = str(tiny_blip(tmp_path / "blip"))
        if settings.get("weights") == "{walks}":
            import tiny_walks

            settings["weights"] = str(tiny_walks.folder(tmp_path, name))
        if settings.get("weights") in ("{sd}", "{musicgen}"):
            import tiny_musicgen
            import tiny_stable_diffusion

            made = {"{sd}": tiny_stable_diffusion.stable_diffusion, "{musicgen}": tiny_musicgen.musicgen}
            settings["weights"] = str(made[settings["weights"]](tmp_path / "model"))
        if settings.get("weights") == "{hub}":
            import tiny_2026
            import tiny_hub
            import tiny_songs

            if name == "stable_audio":
                pytest.importorskip("torchsde")
            settings["weights"] = str((tiny_hub.MAKERS | tiny_songs.MAKERS | tiny_2026.MAKERS)[name](tmp_path / name))
        if settings.get("weights") == "{trained}":
            import tiny_trained

            settings["weights"] = str(tiny_trained.save(tmp_path / "trained"))
        if settings.get("weights") == "{published}":
            settings["weights"] = published(name)
        if settings.get("weights") == "{visuals}":
            import tiny_visuals

            settings["weights"] = str(tiny_visuals.folder(tmp_path, name))
        return lambda: build(kind, {"name": name, **settings})

    return prepare


def run(check, *arguments, **options):
    try:
        check(*arguments, **options)
    except MissingExtra as lacking:
        pytest.skip(str(lacking))


@pytest.mark.parametrize("kind, name", every("generators"))
def test_generators(kind, name, maker):
    run(
        check_generator, maker(kind, name), inputs(get(kind, name).source), seeds=(0, 7), **CHECKS.get((kind, name), {})
    )


@pytest.mark.parametrize("kind, name", every("scorers", "gates", "classifiers", "embedders"))
def test_those_that_look_at_artefacts(kind, name, maker):
    check = {
        "scorers": check_scorer,
        "gates": check_gate,
        "classifiers": check_classifier,
        "embedders": check_embedder,
    }[kind]
    run(check, maker(kind, name), inputs(get(kind, name).artefact), **CHECKS.get((kind, name), {}))


@pytest.mark.parametrize("kind, name", every("stylizers"))
def test_stylizers(kind, name, maker):
    run(check_stylizer, maker(kind, name), picture(1), picture(2, 64))


def test_every_kind_has_plugins():
    assert all(packaged(kind) for kind in registry.KINDS)


# What must never win: made by formula, set against real and synthesised material.


def cut(sound, start, seconds):
    first = int(start * sound.rate)
    return Audio(sound.samples[:, first : first + int(seconds * sound.rate)], sound.rate)


def noise(exponent, seconds=10, rate=44100):
    n = seconds * rate
    frequency = np.maximum(np.fft.rfftfreq(n, 1 / rate), 20)
    x = np.fft.irfft(np.fft.rfft(np.random.default_rng(0).standard_normal(n)) * frequency ** (-exponent / 2), n)
    return Audio((0.7 * x / np.abs(x).max())[None].astype(np.float32), rate)


@pytest.fixture(scope="module")
def material(shared):
    """Per artefact type: what may win, and what never may."""
    track = media.load_audio(shared / "data/audio/outfoxing.mp3")
    loop = media.load_audio(shared / "data/audio/loop_breakbeat.flac")
    topics = [Topic("a futuristic spaceship"), Topic("the calm sea")]
    good_songs = [cut(track, 20, 10), media.load_audio(shared / "data/demo/spaceships_static.mp4")]
    good_songs += build("generators", "house_synth").generate(topics, [3, 4])
    bad_songs = {
        "silence": Audio(np.zeros((2, 441000), np.float32), 44100), "white noise": noise(0), "pink noise": noise(1),
        "brown noise": noise(2), "a whisper": Audio(0.002 * good_songs[0].samples, 44100),
        "a clipped song": Audio(np.clip(30 * good_songs[0].samples, -1, 1), 44100),
        "one bar looped": Audio(np.tile(loop.samples, (1, 16)), loop.rate),
    }  # fmt: skip
    covers = sorted((shared / "data/covers_sdxl/val").glob("*.jpg"))[:6]
    good_pictures = [media.load_image(p) for p in covers]
    good_pictures += build("generators", "procedural_cover").generate(inputs(CoverBrief), [1, 2])
    speckle = np.random.default_rng(0)
    bad_pictures = {
        "black": Image(np.zeros((256, 256, 3), np.uint8)), "white": Image(np.full((256, 256, 3), 255, np.uint8)),
        "one colour": Image(np.full((256, 256, 3), (20, 90, 200), np.uint8)),
        "white noise": Image(speckle.integers(0, 256, (256, 256, 3), np.uint8)),
        "grey noise": Image(np.repeat(speckle.integers(0, 256, (256, 256, 1), np.uint8), 3, axis=2)),
    }  # fmt: skip
    return {Audio: (good_songs, bad_songs), Image: (good_pictures, bad_pictures)}


@pytest.fixture(scope="module")
def reasons(material):
    """Per artefact type: why each item fails, or None, over all gates: first what may win, then what never may."""
    found = {}
    for artefact, (good, bad) in material.items():
        batch = [*good, *bad.values()]
        answers = [build("gates", n).check(batch) for n in packaged("gates") if get("gates", n).artefact is artefact]
        found[artefact] = [next((a for a in column if a), None) for column in zip(*answers, strict=True)]
    return found


@pytest.mark.parametrize("artefact", [Audio, Image])
def test_the_gates_fail_what_must_never_win_and_nothing_else(artefact, material, reasons):
    good, bad = material[artefact]
    assert reasons[artefact][: len(good)] == [None] * len(good)
    passed = [what for what, reason in zip(bad, reasons[artefact][len(good) :], strict=True) if reason is None]
    assert not passed


@pytest.mark.parametrize("kind, name", [p for p in every("scorers") if get(*p.values).artefact in (Audio, Image)])
@pytest.mark.parametrize("rule", ["quantile", "published"])
def test_after_the_gates_no_scorer_lets_it_win(rule, kind, name, material, reasons, rated):
    good, bad = material[get(kind, name).artefact]
    scores, reference = rated(name)
    failed = reasons[get(kind, name).artefact]
    for k in range(len(bad)):
        among = [*range(len(good)), len(good) + k]
        choice = choose(
            {name: scores[among]}, references={name: reference}, failed=[failed[i] for i in among], rule=rule
        )
        assert choice.index < len(good) and np.isfinite(scores[choice.index])


@pytest.fixture(scope="module")
def rated(material, tmp_path_factory, shared, published):
    """Scores of all items by a scorer, once, and its reference scores."""
    make = makers(tmp_path_factory.mktemp("rated"), shared, published)

    @functools.cache
    def rate(name):
        scorer = make("scorers", name)()
        good, bad = material[scorer.artefact]
        try:
            return scorer.score([*good, *bad.values()]), scorer.reference_scores()
        except MissingExtra as lacking:
            pytest.skip(str(lacking))
        finally:
            scorer.close()

    return rate


def test_without_gates_the_formula_alone_prefers_noise_to_most_music(material, rated):
    good, bad = material[Audio]
    scores = rated("danceability")[0]
    assert scores[len(good) + list(bad).index("white noise")] > np.median(scores[: len(good)])
