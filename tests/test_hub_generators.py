"""The generators on tiny checkpoints in the hub's layout: what the model was given, seeds and batches, and what fails alone."""

import functools
import warnings
from fractions import Fraction

import numpy as np
import pytest
import tiny_hub
import tiny_songs

from spectrogrand import Audio, CoverBrief, Image, Scene, Topic, build
from spectrogrand.errors import CandidateError, ConfigError, InvalidValue, MissingExtra, UnknownName
from spectrogrand.plugins.generators._prompts import warn_of_cuts
from spectrogrand.runs.candidates import make_all
from spectrogrand.store import Store

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

BRIEFS = [CoverBrief("a city", "bass", c, w) for c in ("black", "purple") for w in ("ascends", "explodes")]
TOPICS = [Topic("a spaceship"), Topic("a spaceship"), Topic("the sea at dawn")]
SONG = Audio(np.zeros((1, 16000), np.float32), 16000)
TOLERANCE = 2e-2
"""How far a candidate may be from itself in another batch, in full scale: float32 rounds otherwise, decoders amplify it."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with one folder per plug-in."""
    place = tmp_path_factory.mktemp("weights")
    for make, name in (
        (tiny_songs.audioldm2, "audioldm2"), (tiny_songs.ace_step, "ace_step"), (tiny_songs.musicgen, "musicgen"),
        (tiny_hub.sdxl, "sdxl"),
        (tiny_hub.sdxl_refiner, "sdxl_refiner"), (tiny_hub.flux, "diffusers_image"), (tiny_hub.svd, "svd"),
    ):  # fmt: skip
        make(place / name)
    return place


@pytest.fixture(scope="module")
def made(home):
    """A plug-in with its tiny checkpoint, loaded once; settings that change nothing of the model may be set on it."""
    small = {
        "audioldm2": {"steps": [2, 3], "duration": 0.5}, "sdxl": {"steps": 2, "size": 32},
        "diffusers_image": {"steps": 2, "size": 32}, "ace_step": {"steps": 2, "duration": 0.5},
        "musicgen": {"prompt": "Jumpy house music about {topic}", "duration": 1.0, "window": 0.6, "overlap": 0.2},
        "svd": {"fps": "8", "width": 64, "height": 64, "frames": 4, "steps": 2, "seam": 1},
    }  # fmt: skip
    kept = {n: build("generators", {"name": n, "weights": str(home), "device": "cpu", **s}) for n, s in small.items()}
    return kept.__getitem__


@pytest.fixture
def heard(monkeypatch):
    """What a plug-in's pipeline is called with, and a way to change what it answers."""

    def spy(part, answer=None):
        calls, pipe = [], part.model()
        pipe = pipe[0] if isinstance(pipe, tuple) else pipe
        true = type(pipe).__call__

        @functools.wraps(true)  # a pipeline is asked which settings it takes
        def call(self, *arguments, **options):
            calls.append({**options, "seeds": [g.initial_seed() for g in np.atleast_1d(options["generator"])]})
            return (answer or (lambda made, options: made))(true(self, *arguments, **options), options)

        monkeypatch.setattr(type(pipe), "__call__", call)
        return calls

    return spy


def apart(a, b):
    one, two = (getattr(x, "samples", getattr(x, "pixels", x)) for x in (a, b))
    full = 255 if one.dtype == np.uint8 else 1
    return np.abs(one.astype(float) - two).max() / full


def test_audioldm2_is_asked_as_published(made, heard):
    part = made("audioldm2")
    calls = heard(part)
    songs = part.generate([Topic("a futuristic spaceship")] * 4, [10, 11, 12, 13])
    assert [(c["seeds"], c["num_inference_steps"]) for c in calls] == [([10, 12], 2), ([11, 13], 3)]
    for call in calls:
        assert call["prompt"] == ["Jumpy electronic house music for a futuristic spaceship"] * 2
        assert call["negative_prompt"] == ["low quality, monotonous, boring"] * 2
        assert (call["guidance_scale"], call["audio_length_in_s"]) == (3.5, 0.5)
    assert all((s.rate, s.samples.shape) == (16000, (1, 8000)) for s in songs)
    assert all(apart(songs[0], s) > 1e-4 for s in songs[1:])  # every waveform is a candidate of its own


def test_ace_step_is_asked_for_house(made, heard):
    part = made("ace_step")
    calls = heard(part)
    songs = part.generate(TOPICS, [0, 1, 7])
    assert [c["seeds"] for c in calls] == [[0, 1], [7]]
    assert calls[0]["prompt"][0].startswith("Jumpy electronic house music about a spaceship, four on the floor")
    assert (calls[0]["num_inference_steps"], calls[0]["bpm"], calls[0]["lyrics"]) == (2, 124, ["[instrumental]"] * 2)
    assert (calls[0]["audio_duration"], calls[0]["keyscale"], calls[0]["guidance_scale"]) == (0.5, None, 1.0)
    assert all((s.rate, s.samples.shape) == (4000, (2, 2000)) for s in songs) and apart(songs[0], songs[1]) > 1e-2


def test_audioldm2s_language_model_is_one_that_can_generate(home, made):
    index = (home / "audioldm2/model_index.json").read_text()
    assert '"GPT2Model"' in index
    assert type(made("audioldm2").model().language_model).__name__ == "GPT2LMHeadModel"


def test_sdxl_draws_the_grid_as_one_batch(made, heard):
    part = made("sdxl")
    calls = heard(part)
    covers = part.generate(BRIEFS, [0, 1, 2, 3])
    (call,) = calls
    assert call["prompt"] == [b.prompt for b in BRIEFS] and call["seeds"] == [0, 1, 2, 3]
    assert call["prompt"][3] == "purple colored album cover for music about a city that explodes"
    assert call["negative_prompt"] is None
    assert (call["num_inference_steps"], call["guidance_scale"], call["height"], call["width"]) == (2, 5.0, 32, 32)
    assert [c.size for c in covers] == [(32, 32)] * 4 and apart(covers[0], covers[1]) > 0.1


def test_sdxls_refiner_takes_over_in_latents(home, heard):
    settings = {"steps": 4, "size": 32, "handover": 0.5, "negative_prompt": "text"}
    part = build("generators", {"name": "sdxl", "weights": str(home), "refiner": True, **settings})
    base, refiner = part.model()
    assert refiner.vae is base.vae and refiner.text_encoder is None
    calls, steps = heard(part), []
    true = type(refiner).__call__
    type(refiner).__call__ = lambda self, **o: steps.append(o) or true(self, **o)
    try:
        (cover,) = part.generate(BRIEFS[:1], [5])
    finally:
        type(refiner).__call__ = true
    assert (calls[0]["denoising_end"], calls[0]["output_type"], calls[0]["negative_prompt"]) == (
        0.5,
        "latent",
        ["text"],
    )
    assert steps[0]["denoising_start"] == 0.5 and steps[0]["image"].shape[1] == 4 and cover.size == (32, 32)
    assert set(part.identity()) >= {"weights", "refiner"}
    with pytest.raises(InvalidValue, match="is no refiner of Stable Diffusion XL"):
        build("generators", {"name": "sdxl", "weights": str(home), "refiner": str(home / "sdxl")}).generate(
            BRIEFS[:1], [0]
        )


def test_any_model_of_diffusers(home, made, heard):
    part = made("diffusers_image")
    calls = heard(part)
    covers = part.generate(BRIEFS[:2], [3, 4])
    assert type(part.model()).__name__ == "FluxPipeline"
    assert (calls[0]["prompt"], calls[0]["seeds"]) == ([b.prompt for b in BRIEFS[:2]], [3, 4])
    assert (calls[0]["num_inference_steps"], calls[0]["guidance_scale"], calls[0]["height"]) == (2, 0.0, 32)
    assert apart(*covers) > 0.05
    turbo = build("generators", {"name": "diffusers_image", "weights": str(home / "sdxl"), "steps": 1, "size": 32})
    assert turbo.generate(BRIEFS[:1], [0])[0].size == (32, 32)
    assert type(turbo.model()).__name__ == "StableDiffusionXLPipeline"


def test_musicgen_is_asked_and_goes_on_past_its_window(made, monkeypatch):
    part, calls = made("musicgen"), []
    model, tokenizer, _ = part.model()
    true = type(model).generate

    def generate(self, **options):
        calls.append(options)
        return true(self, **options)

    monkeypatch.setattr(type(model), "generate", generate)
    songs = part.generate(TOPICS[:2], [0, 1])
    assert all((s.rate, s.samples.shape) == (2000, (1, 2000)) for s in songs) and apart(*songs) > 1e-3
    words = tokenizer.decode(calls[0]["input_ids"][0], skip_special_tokens=True).lower()
    assert words == "jumpy house music about a spaceship"
    assert all(c["guidance_scale"] == 3.0 for c in calls)
    # 0.6 s of 100 frames a second, then what is heard again (0.2 s) and what is new, until 1 s is full.
    assert ["decoder_input_ids" in c for c in calls] == [False, True]
    assert calls[0]["max_new_tokens"] == 60 + 3 and calls[1]["decoder_input_ids"].shape == (2 * 4, 20)
    assert calls[1]["max_new_tokens"] == 60 + 3 - 20


def test_musicgen_sings_after_a_melody_and_in_stereo(home, tmp_path, monkeypatch):
    from spectrogrand import media

    tune = np.sin(2 * np.pi * 440 * np.arange(4000) / 4000)[None].astype(np.float32)
    media.save_audio(tmp_path / "tune.wav", Audio(0.5 * tune, 4000))
    tiny_songs.musicgen(tmp_path / "melody", melody=True)
    short = {"name": "musicgen", "duration": 0.8, "window": 0.5, "overlap": 0.2, "prompt": "{topic}"}
    part = build("generators", {**short, "weights": str(tmp_path / "melody"), "melody": str(tmp_path / "tune.wav")})
    seen, model = [], part.model()[0]
    true = type(model).generate
    monkeypatch.setattr(type(model), "generate", lambda self, **o: seen.append(o["input_features"]) or true(self, **o))
    assert part.generate(TOPICS[:1], [0])[0].samples.shape == (1, 1600)
    assert len(seen) == 2 and (seen[0].argmax(-1).mode().values == 9).all()  # A is the tenth of the twelve notes from C
    assert "melody" in part.identity()
    with pytest.raises(ConfigError, match="cannot follow a melody: set model=facebook/musicgen-melody"):
        build("generators", {**short, "weights": str(home), "melody": str(tmp_path / "tune.wav")}).generate(
            TOPICS[:1], [0]
        )
    tiny_songs.musicgen(tmp_path / "stereo", channels=2)
    wide = build("generators", {**short, "weights": str(tmp_path / "stereo")}).generate(TOPICS[:1], [0])[0]
    assert wide.samples.shape == (2, 1600) and np.abs(wide.samples[0] - wide.samples[1]).max() > 1e-3


def test_sampling_draws_the_softmax_from_a_seed_of_its_own():
    from spectrogrand.plugins.generators.songs._sampling import Sampler

    scores = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).repeat(2, 1)
    drawn = torch.stack([
        Sampler([torch.Generator().manual_seed(2 * k), torch.Generator().manual_seed(2 * k + 1)], 1.0, 0)(None, scores).argmax(-1)
        for k in range(3000)
    ])  # fmt: skip
    shares = torch.bincount(drawn.flatten(), minlength=4) / drawn.numel()
    assert torch.allclose(shares, torch.tensor([0.5, 0.3, 0.15, 0.05]), atol=0.025)
    top = Sampler([torch.Generator().manual_seed(3)], 1.0, 2)(None, scores[:1])
    assert torch.isinf(top[0, 2:]).all() and torch.isfinite(top[0, :2]).all()
    alone = Sampler([torch.Generator().manual_seed(7)], 2.0, 0)(None, scores[:1])
    beside = Sampler([torch.Generator().manual_seed(1), torch.Generator().manual_seed(7)], 2.0, 0)(None, scores)
    assert torch.equal(alone[0], beside[1])


def test_svd_goes_on_from_its_own_last_frame(made, heard):
    part = made("svd")
    calls = heard(part)
    rng = np.random.default_rng(0)
    cover = Image(np.kron(rng.integers(40, 216, (8, 8, 3)), np.ones((16, 16, 1))).astype(np.uint8))
    (frames,) = part.generate([Scene(cover, SONG)], [9])
    assert not calls  # nothing is made before it is read
    pictures = list(frames)
    assert (frames.count, frames.fps, frames.size) == (8, Fraction(8), (64, 64))
    assert len(calls) == 3  # 4 frames, then 3 new ones a clip
    for call in calls:
        assert (call["num_frames"], call["num_inference_steps"], call["fps"], call["motion_bucket_id"]) == (
            4,
            2,
            7,
            127,
        )
        assert (call["width"], call["height"], call["decode_chunk_size"], call["noise_aug_strength"]) == (
            64,
            64,
            8,
            0.02,
        )
        assert (call["max_guidance_scale"], call["seeds"]) == (3.0, [9])
    assert apart(np.asarray(calls[0]["image"]), cover.resized(64, 64).pixels) == 0
    assert apart(np.asarray(calls[1]["image"]), pictures[3]) < 0.01
    assert all(np.array_equal(a, b) for a, b in zip(pictures, frames, strict=True))
    # Where a clip begins, the picture moves on from the last one: no further than within a clip.
    moves = [np.abs(b.astype(float) - a).mean() for a, b in zip(pictures, pictures[1:], strict=False)]
    assert moves[3] <= max(moves[:3]) * 1.5


def test_svd_mixes_neighbours_where_the_video_has_more_frames(home):
    part = build("generators", {"name": "svd", "weights": str(home), "fps": "8", "rate": 4.0})
    part.__dict__["_model"] = "unused"
    part._clip = lambda start, noise: np.arange(4, dtype=np.float32)[:, None, None, None] * np.full((2, 2, 3), 0.1)
    ramp = [p[0, 0, 0] / 255 for p in part._shown(Image(np.zeros((2, 2, 3), np.uint8)), 0, 7)]
    np.testing.assert_allclose(ramp, np.arange(7) * 0.05, atol=3e-3)


def test_svd_decodes_in_smaller_chunks_when_memory_runs_out(made, heard):
    def answer(out, options):
        if options["decode_chunk_size"] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return out

    part = made("svd")
    scene = Scene(Image(np.full((64, 64, 3), 90, np.uint8)), Audio(np.zeros((1, 4000), np.float32), 16000))
    whole = list(part.generate([scene], [1])[0])
    calls = heard(part, answer)
    again = list(part.generate([scene], [1])[0])
    assert [c["decode_chunk_size"] for c in calls] == [8, 4, 2]
    assert (
        apart(np.stack(whole), np.stack(again)) < 0.35 and len(again) == 2
    )  # the temporal decoder sees other neighbours
    heard(part, lambda out, options: (_ for _ in ()).throw(torch.OutOfMemoryError("out")))
    with pytest.raises(CandidateError, match="does not fit into memory: offload=model"):
        list(part.generate([scene], [1])[0])


@pytest.mark.parametrize("name, sources", [
    ("audioldm2", TOPICS), ("musicgen", TOPICS), ("ace_step", TOPICS), ("sdxl", BRIEFS[:3]), ("diffusers_image", BRIEFS[:3]),
])  # fmt: skip
def test_a_batch_and_one_by_one_are_the_same_candidates(made, name, sources):
    part, seeds = made(name), [0, 1, 7]
    together = part.generate(sources, seeds)
    alone = [part.generate([s], [n])[0] for s, n in zip(sources, seeds, strict=True)]
    assert max(apart(a, b) for a, b in zip(together, alone, strict=True)) <= TOLERANCE


def test_a_batch_that_does_not_fit_is_halved_and_finished(made, heard, tmp_path):
    def answer(out, options):
        if len(options["prompt"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return out

    part = made("sdxl")
    wanted = part.generate(BRIEFS, [0, 1, 2, 3])
    calls = heard(part, answer)
    items, failed, _ = make_all(Store(tmp_path), part, BRIEFS, [0, 1, 2, 3])
    assert failed == [None] * 4 and [len(c["prompt"]) for c in calls] == [4, 2, 1, 1, 2, 1, 1]
    assert max(apart(i.value, w) for i, w in zip(items, wanted, strict=True)) <= TOLERANCE


def test_black_and_broken_pictures_fail_alone_and_the_rest_goes_on(made, heard, tmp_path):
    def answer(out, options):
        out.images = np.array(out.images)
        out.images[0], out.images[2] = 0, np.nan
        return out

    part = made("sdxl")
    heard(part, answer)
    items, failed, _ = make_all(Store(tmp_path), part, BRIEFS, [0, 1, 2, 3])
    assert [i is None for i in items] == [True, False, True, False]
    assert "black" in failed[0] and "not finite" in failed[2]


def test_what_lies_beyond_the_text_encoders_window_is_shown(made):
    part = made("sdxl")
    long = CoverBrief("a city " + "of towers " * 20, "bass", "black", "glitters at the very end")
    with pytest.warns(
        UserWarning, match="sdxl: the prompt is longer than the text encoder's 77 tokens; cut off: .*very end'"
    ):
        part.generate([long], [0])
    made("diffusers_image").model()  # the libraries' own warnings, at their import, are not what is asked for
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made("diffusers_image").generate([BRIEFS[0]], [0])


def test_a_pipelines_own_limit_is_a_window_too():
    class Pipeline:
        tokenizer = tiny_hub.t5_tokenizer()  # 64 tokens

        def __call__(self, prompt=None, max_sequence_length=20):
            pass

    prompt = "a city of towers, to the end"
    with pytest.warns(
        UserWarning, match="pixart: the prompt is longer than the text encoder's 20 tokens; cut off: .*end'"
    ):
        warn_of_cuts("pixart", Pipeline(), [prompt])
    Pipeline.__call__ = lambda self, prompt=None: None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_cuts("pixart", Pipeline(), [prompt])


@pytest.mark.parametrize("name, steps", [("DDIMScheduler", 750), ("EulerDiscreteScheduler", 200)])
def test_hundreds_of_steps_in_bfloat16_are_not_rounded_away(name, steps):
    """Data that is one Gaussian has an exact denoiser, epsilon = sqrt(1 - a) x: the way from noise to data is known."""
    import diffusers

    from spectrogrand.plugins.generators._exact_steps import keep_float32

    def sampled(kind, exact):
        made = getattr(diffusers, name)(beta_start=0.0015, beta_end=0.0195, beta_schedule="scaled_linear")
        scheduler = keep_float32(made) if exact else made
        scheduler.set_timesteps(steps)
        x = (torch.randn(4096, generator=torch.Generator().manual_seed(0)) * scheduler.init_noise_sigma).to(kind)
        for t in scheduler.timesteps:
            a = scheduler.alphas_cumprod[int(t)]
            x = scheduler.step((1 - a).sqrt().to(kind) * scheduler.scale_model_input(x, t), t, x, return_dict=False)[0]
        return x.double()

    wanted = sampled(torch.float32, False)
    rounded, kept = (float((sampled(torch.bfloat16, e) - wanted).std() / wanted.std()) for e in (False, True))
    assert kept < 0.01 and rounded > 3 * kept
    assert torch.equal(sampled(torch.float32, True), wanted)


def test_steps_are_shown_as_they_are_taken(made, monkeypatch):
    from contextlib import contextmanager

    from spectrogrand.plugins.generators import _step_bar

    ticks = []

    @contextmanager
    def bar(label):
        yield lambda done, total: ticks.append((label, done, total))

    monkeypatch.setattr(_step_bar, "bar", bar)
    made("sdxl").generate(BRIEFS[:1], [0])
    assert ticks == [("sdxl, steps", 1, 2), ("sdxl, steps", 2, 2)]
    ticks.clear()
    made("musicgen").generate(TOPICS[:1], [0])
    assert ticks[0] == ("musicgen, steps", 1, 60) and len(ticks) > 100
    assert list(_step_bar.StepBar("x", [5, 6])) == [5, 6] and ticks[-1] == ("x, steps", 2, 2)


def test_if_every_cover_is_broken_one_line_says_why(home, tmp_path, capsys):
    import shutil

    from safetensors.torch import load_file, save_file

    from spectrogrand.__main__ import main

    broken = shutil.copytree(home / "sdxl", tmp_path / "sdxl")
    file = broken / "vae/diffusion_pytorch_model.safetensors"
    save_file({k: v * torch.nan for k, v in load_file(file).items()}, file)
    words = [
        "topic=x",
        "cover=sdxl",
        f"weights={tmp_path}",
        "cover.steps=1",
        "cover.size=32",
        "song.duration=3",
        "songs=1",
    ]
    assert main(["run", *words, f"output={tmp_path / 'out'}"]) != 0
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("spectrogrand: no cover can be used") and "numbers that are not finite" in said


@pytest.mark.slow
def test_musicgen_plays_for_three_minutes(home):
    settings = {"prompt": "{topic}", "duration": 180.0, "window": 30.0, "overlap": 10.0, "batch_size": 1}
    (song,) = build("generators", {"name": "musicgen", "weights": str(home), **settings}).generate(TOPICS[:1], [0])
    assert song.duration == 180 and all(
        np.abs(song.samples[:, k : k + 2000]).max() > 1e-3 for k in range(0, 360_000, 2000)
    )


def test_schedulers_and_memory_savers_are_plain_settings(home):
    common = {"name": "sdxl", "weights": str(home), "steps": 2, "size": 32}
    part = build("generators", {**common, "scheduler": "DPMSolverMultistepScheduler", "attention_slicing": True})
    part.generate(BRIEFS[:1], [0])
    assert type(part.model().__getitem__(0).scheduler).__name__ == "DPMSolverMultistepScheduler"
    assert {type(p).__name__ for p in part.model()[0].unet.attn_processors.values()} != {"AttnProcessor2_0"}
    with pytest.raises(UnknownName, match="sdxl cannot sample with scheduler 'DPM'"):
        build("generators", {**common, "scheduler": "DPM"}).generate(BRIEFS[:1], [0])


@pytest.mark.parametrize("settings, error, message", [
    ({"name": "audioldm2", "steps": []}, InvalidValue, "audioldm2 takes steps as a whole number"),
    ({"name": "audioldm2", "steps": [600, 0]}, InvalidValue, r"takes steps\[1\] as a whole number from 1 to 10000, got 0"),
    ({"name": "audioldm2", "prompt": "{topc}"}, InvalidValue, r"no field \{topc\} to fill; did you mean 'topic'"),
    ({"name": "sdxl", "size": 100}, ConfigError, "multiples of 8 pixels, got 100: size=96"),
    ({"name": "sdxl", "offload": "disk"}, UnknownName, "sdxl has no offload 'disk'"),
    ({"name": "svd", "width": 1000}, ConfigError, "multiples of 64 pixels, got 1000: width=1024"),
    ({"name": "svd", "fps": "fast"}, InvalidValue, "fps as a rational"),
    ({"name": "musicgen", "overlap": 29.0}, ConfigError, "overlap of 29 s leaves too little of a 30 s window"),
    ({"name": "diffusers_image", "model": "flux"}, InvalidValue, "model as OWNER/NAME on the hub, got 'flux'"),
    ({"name": "diffusers_image", "revision": "main"}, InvalidValue, "a commit of 40 hex digits, got 'main'"),
])  # fmt: skip
def test_wrong_settings_are_one_line(settings, error, message):
    with pytest.raises(error, match=message):
        build("generators", settings)


def test_another_models_folder_is_named(home):
    part = build("generators", {"name": "audioldm2", "weights": str(home / "sdxl")})
    with pytest.raises(InvalidValue, match="sdxl holds a StableDiffusionXLPipeline, audioldm2 runs AudioLDM2Pipeline"):
        part.generate(TOPICS[:1], [0])
    part = build("generators", {"name": "musicgen", "weights": str(home / "svd/image_encoder")})
    with pytest.raises(
        InvalidValue, match="holds a 'clip_vision_model' model, musicgen plays musicgen and musicgen_melody"
    ):
        part.generate(TOPICS[:1], [0])


def test_missing_weights_and_missing_libraries(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "none"))
    monkeypatch.setenv("SPECTROGRAND_WEIGHTS", str(tmp_path / "none"))
    part = build("generators", "sdxl")
    with pytest.raises(
        MissingExtra, match=r"sdxl finds no stabilityai/stable-diffusion-xl-base-1.0 .* spectrogrand fetch sdxl"
    ):
        part.identity()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"generators 'sdxl' needs torch, .*pip install 'spectrogrand\[models\]'"):
        part.identity()


def test_stable_audio_is_asked_and_its_neighbours_do_not_matter(tmp_path, heard):
    pytest.importorskip("torchsde")
    tiny_songs.stable_audio(tmp_path)
    common = {"name": "stable_audio", "weights": str(tmp_path), "prompt": "{topic}", "steps": 3}
    part = build("generators", {**common, "duration": 0.5})
    calls = heard(part)
    songs = part.generate(TOPICS, [0, 1, 7])
    assert calls[0]["prompt"] == [t.text for t in TOPICS] and calls[0]["seeds"] == [0, 1, 7]
    assert (calls[0]["num_inference_steps"], calls[0]["guidance_scale"], calls[0]["audio_end_in_s"]) == (3, 7.0, 0.5)
    assert calls[0]["negative_prompt"] == ["low quality, monotonous, boring"] * 3
    assert all((s.rate, s.samples.shape) == (4000, (2, 2000)) for s in songs) and apart(songs[0], songs[1]) > 1e-3
    assert apart(part.generate(TOPICS[2:], [7])[0], songs[2]) <= TOLERANCE
    with pytest.raises(ConfigError, match="stable_audio makes at most 0.8 s, got 9"):
        build("generators", {**common, "duration": 9.0}).generate(TOPICS[:1], [0])
