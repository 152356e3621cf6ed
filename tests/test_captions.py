"""Lyrics with times, captions on the beat, and the animated sleeve."""

import json
from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import Audio, Frames, Image, load_video, media
from spectrogrand.config import compose
from spectrogrand.engines.director.captions import Caption, write_captions
from spectrogrand.engines.director.sleeve import draw_sleeve
from spectrogrand.errors import ConfigError
from spectrogrand.image.lettering import drawable, set_lines
from spectrogrand.lyrics.timed import Line, on_beats, read_timed
from spectrogrand.pipelines.execute import execute

RATE = 22050


def written(folder, text, name="song.lrc"):
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


def test_lrc(tmp_path):
    text = "[ti:Rain]\n[ar:Cats]\n[offset:+500]\n[00:02.50]second\n[00:01.00][00:04]first <00:01.20>of all\n\nno time\n[00:06.00]"
    assert read_timed(written(tmp_path, text)) == (
        Line(0.5, 2.0, "first of all"), Line(2.0, 3.5, "second"), Line(3.5, 5.5, "first of all")
    )  # fmt: skip


def test_srt(tmp_path):
    text = "1\n00:00:01,000 --> 00:00:02,500\nla la\n<i>la</i>\n\n2\n00:01:00.5 --> 00:01:02.0\nend\x07\n"
    assert read_timed(written(tmp_path, text, "a.srt")) == (Line(1.0, 2.5, "la la la"), Line(60.5, 62.0, "end"))


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("a.lrc", "[00:75.00]x", r"line 1 of a.lrc begins at '00:75.00'"), ("a.lrc", "[ti:x]\n[1x:00]y", "line 2"),
        ("a.lrc", "no times here", "no timed line"), ("a.lrc", "", "no timed line"),
        ("a.lrc", "[offset:soon]\n[00:01]x", "offset"),
        ("a.srt", "1\n00:00:05,000 --> 00:00:01,000\nx", "ends before it begins"), ("a.srt", "1\nsoon --> later\nx", "'soon'"),
        ("a.lrc", "\n".join(f"[{k // 60}:{k % 60:02}]x" for k in range(4100)), "at most 4,000"),
    ],
)  # fmt: skip
def test_bad_times_are_one_line(tmp_path, name, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        read_timed(written(tmp_path, text, name))
    assert "\n" not in str(caught.value)


def test_files_that_are_none(tmp_path):
    (tmp_path / "a.lrc").write_bytes(b"\xff\xfe\x00\x81")
    for path in (tmp_path / "a.lrc", tmp_path / "none.lrc", tmp_path):
        with pytest.raises(ConfigError, match="cannot read"):
            read_timed(str(path))
    with pytest.raises(ConfigError, match=r"\.lrc or \.srt"):
        execute(compose(["topic=x", "lyrics=words.txt", f"output={tmp_path}"]))


def test_lines_come_on_the_nearest_beat_and_do_not_overlap():
    beats = np.arange(0, 10, 0.5)
    lines = on_beats((Line(1.1, 2.1, "a"), Line(2.1, 3.3, "b"), Line(7.77, 9, "c")), beats)
    assert [(line.start, line.end) for line in lines] == [(1.0, 2.0), (2.0, 3.3), (8.0, 9)]
    assert on_beats(lines, np.array([])) == lines and on_beats(lines[:1], np.array([5.0])) == lines[:1]


def grey(size, count=4, fps=2, level=90):
    return Frames(lambda: (np.full((*size, 3), level, np.uint8) for _ in range(count)), size, count, Fraction(fps))


@pytest.mark.parametrize("size", [(120, 214), (214, 120), (120, 120)])
@pytest.mark.parametrize("level", [5, 128, 250])
def test_captions_can_be_read_on_any_ground_and_stay_inside(size, level):
    shown = list(write_captions(grey(size, level=level), [Caption(0, 9, "never gonna give you up " * 3)]))[2]
    changed = np.abs(shown.astype(int) - level).max(2) > 8
    rows, columns = np.nonzero(changed)
    assert changed.mean() > 0.01 and shown.max() > 225
    assert rows.max() < 0.97 * size[0] and columns.min() > 0 and columns.max() < size[1] - 1
    ink = shown.astype(float).mean(2) > 225
    if level == 250:
        around = shown[rows.min() : rows.max(), columns.min() : columns.max()]
        assert around.min() < 110, "a rim of shadow where the ground is white"
    else:
        assert ink.any()


def test_captions_appear_in_the_frame_that_holds_their_beat():
    shown = list(write_captions(grey((120, 120), 20, 10), [Caption(0.5, 1.0, "now")]))
    changed = [k for k, p in enumerate(shown) if (p != 90).any()]
    assert changed == [5, 6, 7, 8, 9]


def test_text_that_cannot_be_drawn_is_left_out():
    assert drawable("雨") == "" and set_lines("雨", 100, 20).sum() == 0
    assert set_lines("word " * 60, 100, 20, 2).shape[0] < 60
    assert set_lines("unbreakableword" * 20, 100, 20, 2).shape[1] <= 104


def song(seconds=2.0, silent=False):
    t = np.arange(int(seconds * RATE)) / RATE
    since = t % 0.5
    beat = 0.6 * np.sin(2 * np.pi * 60 * since) * np.exp(-since / 0.06)
    return Audio((0 * t if silent else beat)[None].astype(np.float32), RATE)


COVER = Image(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))


@pytest.mark.parametrize("size", [(144, 256), (256, 144), (160, 160), (200, 160)])
def test_the_sleeve_shows_the_whole_cover_and_moves_with_the_song(size):
    sleeve = list(draw_sleeve(COVER, song(), fps=Fraction(20), size=size, title="Rain over Tokyo", artist="The Cats"))
    assert len(sleeve) == 40
    stack = np.stack(sleeve).astype(float).mean(3)
    still = np.ptp(stack, axis=0) == 0
    assert 0.5 < still.mean() < 0.995, "bars and waveform move, nothing else"
    change = np.abs(np.diff(stack, axis=0)).mean((1, 2))
    on_beat = change[[9, 19, 29]]
    assert on_beat.min() > 3 * np.median(change), "bars leap on the beat"
    assert (sleeve[0] != sleeve[-1]).any()


def test_a_silent_song_has_flat_bars_and_a_tiny_frame_no_text():
    frames = list(draw_sleeve(COVER, song(silent=True), fps=Fraction(4), size=(144, 256), title="x"))
    assert np.abs(frames[1].astype(int) - frames[2]).mean() < 2
    assert next(iter(draw_sleeve(COVER, song(), fps=Fraction(4), size=(16, 28), title="x"))).shape == (16, 28, 3)


def test_title_and_lyrics_are_in_the_videos(tmp_path):
    media.save_audio(tmp_path / "s.wav", song(6.0))
    base = [
        "song=file",
        f"song.path={tmp_path / 's.wav'}",
        "size=128",
        "fps=4",
        "videos=[motion]",
        "covers=1",
        "cover.size=128",
    ]

    def run(*words):
        folder = execute(compose([*base, *words, f"output={tmp_path / 'out'}"])).parent
        return list(load_video(folder / "motion.mp4")), json.loads((folder / "run.json").read_text())

    plain, _ = run()
    lyrics = written(tmp_path, "[00:05.00]la la la")
    worded, record = run("title=Rain", "artist=Cats", f"lyrics={lyrics}", "shape=1:1")
    apart = [np.abs(a.astype(int) - b).max() for a, b in zip(plain, worded, strict=True)]
    assert min(apart[4:16]) > 60 and min(apart[21:23]) > 60, "title, then the line"
    assert max(apart[18:19]) < 40, "nothing between them"
    assert record["tags"] == {"title": "Rain", "artist": "Cats"}
