"""`evaluate`: rows for videos, runs and folders of runs, text that opens in a spreadsheet, and one clear line for bad input."""

import csv
import io
import json
from fractions import Fraction

import av
import numpy as np
import pytest

from spectrogrand.errors import ConfigError, MediaError, UnknownName
from spectrogrand.media import save_audio, save_video
from spectrogrand.metrics.evaluate import MEASURES, as_csv, as_json, as_markdown, evaluate, main, videos
from spectrogrand.types import Audio, Frames

RATE, FPS = 22050, 30
BEATS = np.arange(0.3, 6, 0.5)


def song(seconds=6):
    samples = np.zeros((1, 6 * RATE), np.float32)
    for beat in BEATS:
        samples[0, round(beat * RATE) : round(beat * RATE) + 200] = 0.5
    return Audio(samples[:, : seconds * RATE].copy(), RATE)


def flashing(count=6 * FPS):
    lit = np.round(BEATS * FPS).astype(int)
    draw = lambda: (np.full((32, 48, 3), 220 if k in lit else 30, np.uint8) for k in range(count))  # noqa: E731
    return Frames(draw, (32, 48), count, Fraction(FPS))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs with a video each, a store with one that does not count, and a note."""
    root = tmp_path_factory.mktemp("runs")
    for place in ("a", "b", ".store/x"):
        (root / place).mkdir(parents=True)
        save_video(root / place / "motion.mp4", flashing(), song())
    (root / "a" / "run.json").write_text("{}")
    return root


@pytest.fixture(scope="module")
def rows(runs):
    return evaluate(runs, draws=30)


def test_every_video_of_every_run_has_a_row(runs, rows):
    assert [(r["run"], r["video"]) for r in rows] == [("a", "motion.mp4"), ("b", "motion.mp4")]
    for row in rows:
        assert (row["rows"], row["columns"], row["fps"], row["seconds"]) == (32, 48, 30.0, 6.0)
        assert abs(row["tempo"] - 120) < 1 and len(BEATS) - 1 <= row["beats"] <= len(
            BEATS
        )  # librosa leaves out the last
        assert row["beat_f1"] > 0.95 and abs(row["lag"]) <= 1 / FPS and row["beat_f1_p_shuffled"] < 0.1
        assert {f"{m}{end}" for m in MEASURES for end in ("", "_low", "_high", "_shifted", "_p_shifted")} <= set(row)
    assert {**rows[0], "run": "b"} == rows[1]
    assert len(videos(runs)) == 2


def test_a_video_alone_is_one_row(runs, rows):
    assert evaluate(runs / "b" / "motion.mp4", draws=30) == rows[1:]


def test_rows_as_text(rows):
    told = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert [float(r["beat_f1"]) for r in told] == [r["beat_f1"] for r in rows]
    assert json.loads(as_json(rows)) == rows
    lines = as_markdown(rows).splitlines()
    assert len(lines) == 4 and len({line.count(" | ") for line in lines}) == 1
    assert f"{rows[0]['beat_f1']:.2f} (" in lines[2]


def test_names_cannot_break_a_table_or_run_a_formula(rows):
    evil = {**rows[0], "run": "=1+1", "video": "a|b<c\n.mp4"}
    assert as_csv([evil]).splitlines()[1].startswith("'=1+1,")
    assert "a\\|b&lt;c .mp4" in as_markdown([evil])


def test_a_picture_that_never_changes_has_no_lag_and_no_hits(tmp_path):
    from spectrogrand.types import Image

    still = Frames.still(Image(np.full((32, 32, 3), 99, np.uint8)), 60, Fraction(30))
    save_video(tmp_path / "still.mp4", still, song(2))
    (row,) = evaluate(tmp_path, draws=5)
    assert row["lag"] is None and row["beat_f1"] == 0 and row["beat_f1_p_shuffled"] == 1
    assert (
        "none" in as_markdown([row])
        and "none to none" not in as_markdown([row])
        and json.loads(as_json([row])) == [row]
    )


@pytest.fixture
def bad(tmp_path):
    """A path to each kind of bad input, by name."""
    save_video(tmp_path / "mute.mp4", flashing(30))
    save_audio(tmp_path / "song.wav", song())
    with av.open(str(tmp_path / "blind.mp4"), "w") as box:
        stream = box.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(song().samples[:, :RATE].copy(), "fltp", "mono")
        frame.sample_rate = RATE
        box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    (tmp_path / "text.mp4").write_text("this is a letter, not a video\n" * 20)
    (tmp_path / "empty.mp4").write_bytes(b"")
    save_video(tmp_path / "whole.mp4", flashing(60), song(2))
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "whole.mp4").read_bytes()[:3000])
    (tmp_path / "hollow").mkdir()
    return tmp_path


@pytest.mark.parametrize("name, error, said", [
    ("mute.mp4", MediaError, "no sound"),
    ("blind.mp4", MediaError, "only sound"),
    ("song.wav", MediaError, "no video"),
    ("text.mp4", MediaError, "no video"),
    ("empty.mp4", MediaError, "empty"),
    ("cut.mp4", MediaError, "cut off"),
    ("hollow", ConfigError, "no video in the folder"),
    ("missing", ConfigError, "nothing at"),
])  # fmt: skip
def test_bad_input_is_one_clear_line(bad, name, error, said):
    with pytest.raises(error, match=said) as caught:
        evaluate(bad / name, draws=5)
    assert "\n" not in str(caught.value) and name.split(".")[0] in str(caught.value)


def test_in_a_folder_the_others_are_still_measured(bad):
    (bad / "hollow").rmdir()
    found = {r["video"]: r for r in evaluate(bad, draws=5)}
    assert set(found) == {"mute.mp4", "blind.mp4", "text.mp4", "empty.mp4", "cut.mp4", "whole.mp4"}
    assert [name for name, row in found.items() if "error" not in row] == ["whole.mp4"]
    text = as_markdown(found.values())
    assert "no sound" in text and len({line.count(" | ") for line in text.splitlines()}) == 1
    assert "error" in as_csv(found.values()).splitlines()[0]


def test_where_nothing_can_be_read_the_last_reason_is_told(tmp_path):
    (tmp_path / "a.mp4").write_text("letter")
    with pytest.raises(MediaError, match="a.mp4"):
        evaluate(tmp_path)


def test_the_command_prints_rows(runs, capsys):
    path = str(runs / "a")
    assert main([path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["run"] == "a"
    assert main([path, "--csv"]) == 0
    assert capsys.readouterr().out.startswith("run,video,seconds")


@pytest.mark.parametrize("words, error, said", [
    ([], ConfigError, "which videos"),
    (["--jsn", "x"], UnknownName, "--json"),
    (["missing.mp4"], ConfigError, "nothing at"),
])  # fmt: skip
def test_the_command_says_what_is_wrong(words, error, said):
    with pytest.raises(error, match=said):
        main(words)


def test_the_published_style_transfer_keeps_time_no_better_than_chance(shared):
    """At 10 frames a second, from frames in another order: its own sound cut up and shuffled does as well."""
    (row,) = evaluate(shared / "data/demo/spaceships_dynamic1.mp4", draws=60)
    assert (row["fps"], row["seconds"]) == (10.0, 10.0) and abs(row["tempo"] - 123) < 2
    for name in ("beat_f1", "consistency", "lag"):
        assert row[f"{name}_p_shuffled"] > 0.05
    assert row["beat_f1"] < 0.4 and row["lag"] is not None


def test_a_run_keeps_its_measures_with_the_videos_hash(tmp_path, capsys):
    """`table` reads them: a still of the cover keeps all of its edges, and one that is changed later does not count."""
    from fractions import Fraction

    import numpy as np

    from spectrogrand import Audio, Frames, Image, save_image, save_video
    from spectrogrand.store import file_digest

    y, x = np.mgrid[:128, :128]
    shape = ((x - 30) ** 2 + (y - 40) ** 2 < 500) | (np.abs(x - 2 * y + 60) < 9)
    picture = np.where(shape[..., None], [230, 180, 60], [20, 30, 80]).astype(np.uint8)
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text("{}")
    save_image(run / "cover.png", Image(picture))
    sound = Audio(np.random.default_rng(0).normal(0, 0.1, (1, 32000)).astype(np.float32), 8000)
    save_video(run / "static.mp4", Frames(lambda: iter([picture] * 40), (128, 128), 40, Fraction(10)), sound)
    assert main([str(run), "--json"]) == 0
    (row,) = json.loads((run / "evaluation.json").read_text())
    assert row["sha256"] == file_digest(run / "static.mp4") and row["video"] == "static.mp4"
    assert row["edge_ssim"] > 0.9
    save_image(run / "cover.png", Image(np.ascontiguousarray(np.rot90(picture))))
    assert main([str(run), "--json"]) == 0
    assert json.loads((run / "evaluation.json").read_text())[0]["edge_ssim"] < 0.4
    capsys.readouterr()
