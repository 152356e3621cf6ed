"""What people's files must give: the cases of the shared material, and others of the same kinds made here."""

import json
import struct

import av
import mir_eval
import numpy as np
import pytest

from spectrogrand.audio.features import analyse
from spectrogrand.audio.spectrogram import mel_spectrogram
from spectrogrand.errors import MediaError
from spectrogrand.lyrics.reading import Table
from spectrogrand.media import load_audio, load_image, load_video, save_video, sound_offset
from spectrogrand.metrics.evaluate import annotation, evaluate
from spectrogrand.types import Audio, Frames


@pytest.fixture
def cases(shared):
    folder = shared / "cases/inputs"
    if not folder.is_dir():
        pytest.skip("no cases here")
    return folder


def f_measure(truth, found):
    return mir_eval.beat.f_measure(np.asarray(truth), np.asarray(found), f_measure_threshold=0.07)


@pytest.mark.parametrize("name", ["jump120_100", "live118", "trap70", "dnb174", "house124_late", "antiphase"])
def test_beats_are_the_declared_ones(cases, name):
    truth = json.loads((cases / "music/truth.json").read_text())[name]
    song = analyse(load_audio(cases / f"music/{name}.flac"))
    assert f_measure(truth["beats"], song.beats) >= 0.95
    assert f_measure(truth["downbeats"], song.downbeats) >= 0.8
    assert song.beats[0] > truth["beats"][0] - 0.07, "none before the first: silence has no beats"


def test_opposite_phase_is_as_bright_as_in_phase(cases):
    song = load_audio(cases / "music/antiphase.flac")
    in_phase = Audio(np.stack([song.samples[0], -song.samples[1]]), song.rate)
    assert np.abs(mel_spectrogram(song).decibels - mel_spectrogram(in_phase).decibels).max() < 0.01


SECONDS = {
    "piped.flac": 8, "id3.flac": 8, "chained.ogg": 16, "gap.mp4": 8, "two_audio.mkv": 8, "raw.aac": 8.03, "flac.oga": 8,
    "ape_front.mp3": 8.05, "junk_front.mp3": 8.05, "cat_two_with_xing.mp3": 16.07, "cat_mono_stereo.mp3": 16.09,
    "late_audio.mp4": 8.01, "no_eos.ogg": 7.02,
}  # fmt: skip


@pytest.mark.parametrize("name", SECONDS)
def test_sounds_are_read_to_their_end(cases, name):
    assert float(load_audio(cases / "sounds" / name).duration) == pytest.approx(SECONDS[name], abs=0.01)


def test_a_gap_in_the_time_stamps_is_silence(cases):
    song = load_audio(cases / "sounds/gap.mp4")
    level = np.array([np.abs(part).max() for part in np.array_split(song.mono(), 80)])
    silent = np.flatnonzero(level < 1e-4) / 10
    silent = silent[silent < 7]  # its last tenth fades out
    assert silent.min() >= 3 and silent.max() <= 5 and len(silent) >= 15


def test_the_default_stream_or_a_named_one(cases):
    path = cases / "sounds/two_audio.mkv"
    with av.open(str(path)) as file:
        default = next(k for k, s in enumerate(file.streams.audio) if s.disposition & s.disposition.default)
    first, second, taken = (load_audio(path, stream=k).samples for k in (0, 1, None))
    assert first.shape != second.shape or not np.array_equal(first, second)
    assert np.array_equal(taken, (first, second)[default])
    with pytest.raises(MediaError, match="has 2 sound streams, counted from 0: there is no stream 2"):
        load_audio(path, stream=2)


def test_a_change_of_format_keeps_the_most_channels(cases):
    assert load_audio(cases / "sounds/cat_mono_stereo.mp3").channels == 2


def test_chained_links_of_two_rates(tmp_path):
    import io

    import soundfile

    parts = []
    for k, rate in enumerate((44100, 22050)):
        held = io.BytesIO()
        tone = 0.4 * np.sin(2 * np.pi * 440 * (k + 1) * np.arange(2 * rate) / rate)
        soundfile.write(held, tone, rate, format="OGG", subtype="VORBIS")
        parts.append(held.getvalue())
    (tmp_path / "a.ogg").write_bytes(b"".join(parts))
    song = load_audio(tmp_path / "a.ogg")
    assert song.rate == 44100 and float(song.duration) == pytest.approx(4, abs=0.01)
    for half, pitch in ((song.samples[0, :80000], 440), (song.samples[0, -80000:], 880)):
        spectrum = np.abs(np.fft.rfft(half))
        assert abs(spectrum.argmax() * 44100 / len(half) - pitch) < 2


@pytest.mark.parametrize("tag", ["ape", "id3", "junk"])
def test_what_lies_before_an_mp3(tmp_path, shared, tag):
    data = (shared / "data/audio/808kick120bpm.mp3").read_bytes()
    front = {
        "ape": b"APETAGEX" + struct.pack("<IIII", 2000, 50, 1, 0xA0000000) + bytes(8) + b"x" * 50,
        "id3": b"ID3\x04\x00\x00\x00\x00\x00\x32" + bytes(50), "junk": b"<html>not music</html>" * 40,
    }[tag]  # fmt: skip
    (tmp_path / "a.mp3").write_bytes(front + data)
    (tmp_path / "b.mp3").write_bytes(data)
    a, b = (load_audio(tmp_path / n) for n in ("a.mp3", "b.mp3"))
    assert abs(float(a.duration - b.duration)) < 0.06


def test_a_constant_offset_is_taken_off():
    tone = 0.2 * np.sin(np.arange(44100) / 9).astype(np.float32)
    clean, offset = (analyse(Audio(x[None].astype(np.float32), 22050)) for x in (tone, tone + 0.3))
    assert np.abs(clean.rms - offset.rms).max() < 2e-3


def test_colour_profiles_are_applied(cases):
    swapped = load_image(cases / "pictures/swapped_profile.png").pixels
    raw = np.asarray(__import__("PIL.Image").Image.open(cases / "pictures/swapped_profile.png"))
    assert (raw[5, 5].argmax(), swapped[5, 5].argmax()) == (0, 1)
    assert load_image(cases / "pictures/wide_gamut.jpg").pixels[5, 5].tolist() == [255, 0, 0]


def test_heic_is_read_where_pillow_heif_is(cases, tmp_path, monkeypatch):
    import sys

    pillow_heif = pytest.importorskip("pillow_heif")
    import PIL.Image

    pillow_heif.from_pillow(PIL.Image.new("RGB", (64, 48), (200, 10, 10))).save(tmp_path / "a.heic")
    assert np.abs(load_image(tmp_path / "a.heic").pixels.astype(int) - (200, 10, 10)).max() < 6
    with pytest.raises(MediaError, match="HEIC picture that is damaged"):
        load_image(cases / "pictures/photo.heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MediaError, match=r"HEIC picture, which takes pillow-heif: pip install 'spectrogrand\[heif\]'"):
        load_image(cases / "pictures/photo.heic")


def test_square_pixels_the_film_and_no_black_cover(cases):
    assert load_video(cases / "pictures/sar2.mp4").size == load_image(cases / "pictures/sar2.mp4").size == (320, 240)
    film = load_video(cases / "pictures/poster_first.mkv")
    assert (film.size, film.count) == ((320, 240), 10) and load_image(cases / "pictures/poster_first.mkv").size == (
        320,
        240,
    )
    assert load_image(cases / "pictures/fade_in.mp4").pixels.std() > 40
    assert next(iter(load_video(cases / "pictures/fade_in.mp4"))).max() < 20, "the film itself begins black"


def test_a_rate_that_milliseconds_rounded(cases):
    assert str(load_video(cases / "videos/fps_60000_1001.mkv").fps) == "60000/1001"


def test_hlg_becomes_srgb(cases):
    from spectrogrand.media.display import to_srgb

    shown = next(iter(load_video(cases / "videos/hlg.mp4")))
    assert shown.dtype == np.uint8 and shown.max() > 200
    white = to_srgb(np.full((1, 1, 3), round(0.75 * 65535), np.uint16), 18, 9)
    black = to_srgb(np.zeros((1, 1, 3), np.uint16), 18, 9)
    assert white.min() > 225 and np.ptp(white) <= 1 and black.max() == 0
    red = to_srgb(np.array([[[40000, 0, 0]]], np.uint16), 1, 9)  # outside BT.709: the others are clipped at 0
    assert red[0, 0, 0] > 155 and red[0, 0, 1] == 0


def clicks(seconds=12):
    beats = np.arange(0.3, seconds, 0.5)
    samples = np.zeros((1, seconds * 22050), np.float32)
    for beat in beats:
        samples[0, round(beat * 22050) : round(beat * 22050) + 200] = 0.5
    return beats, Audio(samples, 22050)


def remuxed(source, target, *, late):
    """The same packets, the pictures `late` seconds later."""
    with av.open(str(source)) as a, av.open(str(target), "w") as b:
        streams = {s.index: b.add_stream_from_template(s) for s in a.streams}
        for packet in a.demux():
            if packet.dts is None:
                continue
            kind = packet.stream.type
            index = packet.stream.index
            if kind == "video":
                shift = round(late / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            packet.stream = streams[index]
            b.mux(packet)


def test_a_picture_200_ms_late_reads_so(tmp_path):
    from fractions import Fraction

    beats, song = clicks()
    lit = set(np.round(beats * 30).astype(int))
    draw = lambda: (np.full((32, 48, 3), 220 if k in lit else 30, np.uint8) for k in range(360))  # noqa: E731
    save_video(tmp_path / "on.mp4", Frames(draw, (32, 48), 360, Fraction(30)), song)
    remuxed(tmp_path / "on.mp4", tmp_path / "late.mkv", late=0.2)
    assert sound_offset(tmp_path / "late.mkv") == pytest.approx(0.2, abs=0.06), (
        "AAC's own delay of 46 ms is sound in a Matroska"
    )
    on, late = (evaluate(tmp_path / n, draws=20)[0] for n in ("on.mp4", "late.mkv"))
    assert on["lag"] == pytest.approx(0, abs=0.034) and on["beat_f1"] > 0.9
    assert late["lag"] - on["lag"] == pytest.approx(0.2, abs=0.03)
    assert late["beat_f1"] < 0.2 and late["beat_f1_aligned"] > 0.9
    assert on["beats_by"].startswith("librosa")


def test_an_annotation_judges_too(tmp_path):
    beats, song = clicks()
    (tmp_path / "b.txt").write_text("# mine\n" + "\n".join(f"{b:.3f}\t1" for b in beats))
    assert annotation(tmp_path / "b.txt") == pytest.approx(beats, abs=1e-3)


def test_a_sound_that_begins_late_keeps_its_time(cases):
    row = evaluate(cases / "videos/sound_starts_late.mp4", draws=20)[0]
    assert abs(row["lag"]) < 0.034 and row["beat_f1"] > 0.8


WORDS = {"Snow Road": "Snow falls on the frozen road", "Harbour": "The waves roll over the blue ocean"}


@pytest.mark.parametrize(
    "name",
    [
        "backslash_quotes.csv", "enhanced_lrc.csv", "excel_sep.csv", "html_br.csv", "id_all_same.csv", "inch_mark_unescaped.csv",
        "instrumental.csv", "percent_energy.csv", "spaces_after_comma.csv", "zipped.csv.gz",
    ],
)  # fmt: skip
def test_tables_give_every_row_once(cases, name):
    table = Table(cases / "tables" / name)
    songs = list(table)
    titles = ["Snow Road", "6'1\"" if name.startswith("inch") else "Harbour", "Engines", "Kiss"]
    assert [s.title for s in songs] == titles and [s.artist for s in songs] == ["Ana", "Bo", "Cy", "Di"]
    assert all(len(s.lines) == 3 for s in songs)
    if name.startswith("backslash"):
        assert songs[0].lines[0] == 'He said "Snow falls on the frozen road", then left'
    else:
        assert songs[0].lines[0] == "Snow falls on the frozen road"
    assert table.left_out() == ("3 instrumental or of unknown words" if name.startswith("instr") else "")
    if name.startswith("percent"):
        assert {s.energy for s in songs} == {0.8}


def test_a_workbook_that_is_none_is_one_line(cases):
    with pytest.raises(MediaError, match="is a workbook that cannot be read|takes python-calamine"):
        Table(cases / "tables/not_a_csv.xlsx")


def test_forty_spreadsheets_of_every_dialect(tmp_path):
    import itertools

    rows = [("Snow; Road", "Ana, B", 'He said "hi"\nand left the room'), ("Sea", "Bo | C", "waves, roll; over\tthe ocean"),
            ("Engine", "Cy", "robots hum in here\n\nat night")]  # fmt: skip
    dialects = list(itertools.product(",;\t|", ("double", "backslash"), (False, True), ("\n", "\r\n"), (False, True)))[
        :40
    ]
    for delimiter, marks, blank, end, sep in dialects:
        quote = lambda c: '"' + c.replace('"', '""' if marks == "double" else '\\"') + '"'  # noqa: B023, E731
        lines = [(delimiter + " " * blank).join(map(quote, r)) for r in [("title", "artist", "lyrics"), *rows]]
        text = ("sep=" + delimiter + end) * sep + end.join(lines) + end
        (tmp_path / "a.csv").write_bytes(text.encode())
        songs = list(Table(tmp_path / "a.csv"))
        told = (delimiter, marks, blank, end, sep)
        assert [(s.title, s.artist) for s in songs] == [r[:2] for r in rows], told
        assert songs[0].lines == ('He said "hi"', "and left the room"), told
