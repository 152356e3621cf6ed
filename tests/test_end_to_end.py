"""The whole flow on real parts, offline, through the command line: topics, own songs and pictures, bad input."""

import json
import resource
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spectrogrand import load_audio, load_video
from spectrogrand.__main__ import main
from spectrogrand.types import frame_count

SMALL = ["songs=2", "covers=2", "size=96", "fps=10", "song.duration=6", "cover.size=192", "seed=3"]
OWN = ["size=96", "fps=10", "covers=2", "cover.size=192"]
VIDEOS = ("static", "dynamic_content", "dynamic_style", "motion")


def spectrogrand(capsys, *words):
    """Run the command line in this process: exit code, the run's folder (or None), and what it said on standard error."""
    code = main(["run", *words])
    said = capsys.readouterr()
    folder = Path(said.out.strip().splitlines()[-1]).parent if code == 0 else None
    return code, folder, said.err


def record(folder):
    return json.loads((folder / "run.json").read_text("utf-8"))


def test_a_topic_becomes_everything(tmp_path, capsys):
    code, folder, _ = spectrogrand(capsys, "topic=a futuristic spaceship", f"output={tmp_path}", *SMALL)
    assert code == 0
    run = record(folder)
    assert run["state"] == "finished"
    assert {"song.wav", "cover.png", "songs/0.wav", "songs/1.wav", "covers/0.png", "covers/1.png"} <= set(run["files"])
    for slot in ("song", "cover"):
        choice = run["choices"][slot]
        assert len(choice["candidates"]) == 2
        assert all(v is not None for c in choice["candidates"] if not c["failed"] for v in c["scores"].values())
    song = load_audio(folder / "song.wav")
    for name in VIDEOS:
        video = load_video(folder / f"{name}.mp4")
        assert video.count == frame_count(song.duration, Fraction(10))
        assert abs(float(load_audio(folder / f"{name}.mp4").duration - song.duration)) <= 0.1
    assert (folder / "report.html").stat().st_size > 2000


def test_one_seed_two_empty_stores_identical_bytes(tmp_path, capsys):
    files = []
    for name in "ab":
        _, folder, _ = spectrogrand(capsys, "topic=rain, on a tin roof", f"output={tmp_path / name}", *SMALL)
        files.append({k: v["sha256"] for k, v in record(folder)["files"].items()})
    assert files[0] == files[1]
    assert len(files[0]) >= 10


def test_a_sweep_over_topics_with_commas(tmp_path, capsys):
    (tmp_path / "topics.txt").write_text("red, green = blue\nit's ${oc.env:HOME}\n", "utf-8")
    words = [
        "-m",
        f"topics={tmp_path / 'topics.txt'}",
        "seed=0,1",
        f"output={tmp_path / 'out'}",
        "videos=[]",
        *SMALL[:-1],
    ]
    assert main(["run", *words]) == 0
    capsys.readouterr()
    runs = [json.loads(p.read_text("utf-8")) for p in (tmp_path / "out").glob("sweep-*/*/run.json")]
    assert sorted((r["topic"], r["seed"]) for r in runs) == [
        ("it's ${oc.env:HOME}", 0), ("it's ${oc.env:HOME}", 1), ("red, green = blue", 0), ("red, green = blue", 1),
    ]  # fmt: skip
    assert main(["table", str(tmp_path / "out"), "--csv"]) == 0
    assert len(capsys.readouterr().out.strip().splitlines()) >= 5


def test_the_published_video_becomes_our_videos(shared, tmp_path, capsys):
    published = shared / "data/demo/spaceships_static.mp4"
    code, folder, said = spectrogrand(
        capsys,
        "song=file",
        f"song.path={published}",
        "cover=file",
        f"cover.path={published}",
        f"output={tmp_path}",
        *OWN[:2],
    )
    assert code == 0, said
    song = load_audio(folder / "song.wav")
    assert float(song.duration) == pytest.approx(10, abs=0.1)
    for name in VIDEOS:
        assert load_video(folder / f"{name}.mp4").count == frame_count(song.duration, Fraction(10))
    cover = record(folder)["choices"]["cover"]
    assert [c["failed"] for c in cover["candidates"]] == [None]
    assert "it is your own" in cover["why"]


def test_a_name_full_of_grammar(shared, tmp_path, capsys):
    path = tmp_path / "My Song (Mix), Pt 2 = ${x}.wav"
    sound = load_audio(shared / "data/audio/loop_mika.flac")
    soundfile.write(path, sound.samples.T, sound.rate)
    code, folder, said = spectrogrand(
        capsys, "song=file", f"song.path={path}", f"output={tmp_path / 'o'}", "videos=[static]", *OWN
    )
    assert code == 0, said
    assert folder.name.startswith("my-song-mix-pt-2-x-")
    assert record(folder)["topic"] == "My Song (Mix), Pt 2 = ${x}"


def wav(path, samples, rate=44100, **options):
    soundfile.write(path, samples, rate, **options)
    return path


def tone(seconds=3.0, rate=44100):
    t = np.arange(int(seconds * rate)) / rate
    return 0.5 * np.sin(2 * np.pi * 110 * t) * (np.sin(2 * np.pi * 2 * t) > 0)


GOOD = {
    "8 bit": lambda p: wav(p, tone(), subtype="PCM_U8"),
    "24 bit": lambda p: wav(p, tone(), subtype="PCM_24"),
    "float64": lambda p: wav(p, tone(), subtype="DOUBLE"),
    "six channels": lambda p: wav(p, np.stack([tone()] * 6, 1)),
    "8 kHz": lambda p: wav(p, tone(rate=8000), 8000),
    "96 kHz": lambda p: wav(p, tone(rate=96000), 96000),
}


@pytest.mark.parametrize("kind", GOOD)
def test_every_kind_of_sound(tmp_path, capsys, kind):
    path = GOOD[kind](tmp_path / "song.wav")
    code, folder, said = spectrogrand(
        capsys, "song=file", f"song.path={path}", f"output={tmp_path / 'o'}", "videos=[static]", *OWN
    )
    assert code == 0, said
    assert load_video(folder / "static.mp4").count == 30


def _nan(path):
    x = tone()
    x[100] = np.nan
    return wav(path, x, subtype="FLOAT")


def _lying(path):
    wav(path, tone())
    data = bytearray(path.read_bytes())
    path.write_bytes(data[: len(data) // 3])
    return path


def _text(content):
    def write(path):
        path.write_text(content)
        return path

    return write


BAD = {
    "missing": (lambda p: p, "no sound file .* check the path"),
    "empty": (_text(""), "empty"),
    "text": (_text("hello, this is not sound\n" * 50), "song.wav"),
    "ffconcat": (_text("ffconcat version 1.0\nfile /etc/hostname\n"), "song.wav"),
    "NaN": (_nan, "finite|NaN"),
    "silent": (lambda p: wav(p, np.zeros(44100 * 3)), "silent"),
    "lying header": (_lying, "song.wav"),
    "a folder": (lambda p: (p.mkdir(), p)[1], "folder|directory"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_sound_is_one_clear_line(tmp_path, capsys, kind):
    make, message = BAD[kind]
    path = make(tmp_path / "song.wav")
    code, _, said = spectrogrand(capsys, "song=file", f"song.path={path}", f"output={tmp_path / 'o'}", *OWN)
    assert code == 1
    assert len(said.strip().splitlines()) == 1, said
    import re

    assert re.search(message, said), said
    assert not list((tmp_path / "o").glob("*/*.mp4"))


@pytest.mark.parametrize(
    ("words", "message", "expected"),
    [
        (["topic="], "the topic is empty", 1),
        (["topic=   "], "the topic is empty", 1),
        (["topic=" + "a" * 10_000], "10,000 characters", 1),
        ([], "nothing to make a song about", 2),
        (["topic=x", "stylizer=sliced_transprt"], "did you mean 'sliced_transport'", 2),
        (["topic=x", "song.tempoo=3"], "did you mean 'song.tempo'", 2),
        (["topic=x", "fps=0"], "fps", 2),
        (["topic=x", "songs=none"], "songs", 2),
        (["song=file", "topic=x"], "path", 2),
        (["topic=x", "output=/proc/nothing"], "cannot write|No such file", 1),
    ],
)
def test_bad_words_are_one_clear_line(tmp_path, capsys, words, message, expected):
    code, _, said = spectrogrand(capsys, *([] if any("output" in w for w in words) else [f"output={tmp_path}"]), *words)
    assert code == expected, said
    assert len(said.strip().splitlines()) == 1, said
    assert message in said or any(m in said for m in message.split("|")), said


def test_interrupted_is_130_and_resumable(tmp_path):
    words = ["run", "topic=a long way", f"output={tmp_path}", *SMALL]
    child = subprocess.Popen(
        [sys.executable, "-m", "spectrogrand", *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 120
    while not list(tmp_path.glob("*/songs/0.wav")) and child.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130, said
    assert said.strip().splitlines() == ["spectrogrand: interrupted; the same command goes on from the finished steps"]
    (run,) = tmp_path.glob("*/run.json")
    assert json.loads(run.read_text())["state"] == "interrupted"
    assert not [p for p in tmp_path.rglob("*") if p.name.startswith(".") and p.name not in (".store", ".claims")], (
        "no torn files"
    )
    done = subprocess.run([sys.executable, "-m", "spectrogrand", *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    again = json.loads((Path(done.stdout.strip()).parent / "run.json").read_text())
    step = again["steps"][0]
    assert (step["slot"], step["name"], step["reused"], step["made"]) == ("song", "house_synth", 2, 0)


MEASURE = """
import resource, sys
from spectrogrand.__main__ import main
code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
sys.exit(code)
"""


def peak_megabytes(words):
    done = subprocess.run([sys.executable, "-c", MEASURE, "run", *words], capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.strip().splitlines()[-1]), Path(done.stdout.strip().splitlines()[-1]).parent


def ends_together(folder, name, fps):
    """Seconds by which the picture of a video outlasts its song."""
    song, video = load_audio(folder / "song.wav"), load_video(folder / f"{name}.mp4")
    return float(video.count / video.fps - song.duration), float(
        load_audio(folder / f"{name}.mp4").duration - song.duration
    )


@pytest.mark.slow
def test_a_real_track_in_bounded_memory(shared, tmp_path):
    track = shared / "data/audio/outfoxing.mp3"
    peak, folder = peak_megabytes(["song=file", f"song.path={track}", f"output={tmp_path}"])
    assert peak < 1500
    for name in VIDEOS:
        picture, sound = ends_together(folder, name, 30)
        assert 0 <= picture < 1 / 30
        assert abs(sound) <= 1 / 30


@pytest.mark.slow
def test_an_hour_in_flat_memory(tmp_path):
    """Ten times the sound costs no more than the features that are kept: about 100 MB an hour."""
    peaks = {}
    for minutes in (12, 60):
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", 44100, 2, "PCM_16") as file:
            beat = np.stack([tone(60.0)] * 2, 1)
            for _ in range(minutes):
                file.write(beat)
        peaks[minutes], folder = peak_megabytes(
            [
                "song=file",
                f"song.path={path}",
                f"output={tmp_path / 'o'}",
                "size=64",
                "fps=2",
                "covers=1",
                "cover.size=128",
            ]
        )
        for name in VIDEOS:
            picture, sound = ends_together(folder, name, 2)
            assert 0 <= picture < 0.5
            assert abs(sound) <= 0.5
    assert peaks[60] - peaks[12] < 200, peaks


def test_peak_memory_is_measured_in_megabytes():
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 > 10
