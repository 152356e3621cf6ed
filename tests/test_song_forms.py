"""house_synth's candidates, words, stems, MIDI and melodies: known answers, and what other libraries hear."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys

import numpy as np
import pytest

from spectrogrand.engines.synth.forms import FORMS
from spectrogrand.engines.synth.harmony import Key
from spectrogrand.engines.synth.midi import find_key, move_to_key, read_melody
from spectrogrand.engines.synth.style import hash_words, lean_mood, make_style, read_mood
from spectrogrand.engines.synth.voices.drums import tune_kick
from spectrogrand.engines.synth.words import read_wishes
from spectrogrand.errors import InvalidValue
from spectrogrand.plugins.generators.songs.house_synth import HouseSynth
from spectrogrand.runs.artefacts import load, save
from spectrogrand.types import Topic

AXES = ("energy", "valence", "tension", "brightness", "space", "era")
TOPICS = ("a futuristic spaceship", "heartbreak", "Mozart in space", "coffee", "a haunted forest", "a chess game")
mido = pytest.importorskip("mido")


def styles(topic, seeds=range(4), **settings):
    place = np.random.default_rng(hash_words(topic)).uniform(-0.6, 0.6, 6)
    asked = {"genre": None, "tempo": None, "key": None, "swing": None, "form": None} | settings
    return [make_style(read_mood(place, AXES), hash_words(topic), s, wishes=read_wishes(topic), **asked) for s in seeds]


def test_the_kick_is_the_tonic_in_all_twelve_keys():
    for tonic in range(12):
        hz = tune_kick(tonic)
        assert 38 < hz < 78
        off = 12 * np.log2(hz / 440) + 9 - tonic
        assert off / 12 == pytest.approx(round(off / 12), abs=1e-6)


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("first", [0, 4, 7000])
def test_four_candidates_differ_on_purpose(topic, first):
    four = styles(topic, range(first, first + 4))
    assert four[0].form.name == "club" and len({s.form.name for s in four}) >= 3
    assert len({s.progressions[0] for s in four}) == 4
    assert len({s.take.drop for s in four}) == 3 and [s.take.quiet for s in four].count(True) == 1
    assert len({float(s.tempo) for s in four}) >= 3
    assert len({s.key.tonic for s in four}) == 1, "the key belongs to the topic"


def test_what_is_fixed_stays_fixed():
    assert {s.form.name for s in styles("coffee", form="garage")} == {"garage"}
    assert {s.form.name for s in styles("drum and bass", genre="melodic")} == {"club"}
    mood = read_mood(np.zeros(6), AXES)
    assert lean_mood(mood, 3, ("energy",)).energy == 0 > lean_mood(mood, 3).energy


def test_topics_reach_every_form():
    heard = {s.form.name for k in range(40) for s in styles(f"topic {k}")}
    assert heard == set(FORMS)


@pytest.mark.parametrize(
    "topic, form, low, high",
    [
        ("drum and bass in a factory", "breakbeat", 165, 180), ("a lullaby", "ambient", 60, 80), ("140 bpm", None, 140, 140),
        ("a slow train", None, 60, 118), ("a very slow train", None, 60, 105), ("lofi hip hop", "halftime", 74, 96),
    ],
)  # fmt: skip
def test_words_of_tempo_and_genre_are_obeyed(topic, form, low, high):
    for style in styles(topic):
        assert low <= style.tempo <= high and (form is None or style.form.name == form)


def test_words_that_contradict_each_other_count_for_nothing():
    assert read_wishes("fast and very slow").pace == 1
    assert read_wishes("techno and a lullaby").form is None
    assert read_wishes("3 bpm or 900 bpm").tempo is None


def test_words_name_instruments_places_and_weather():
    got = read_wishes("a harp in the rain in a cathedral")
    assert got.instruments == ("harp",) and got.beds == ("rain", "bells") and got.room == 5.0
    assert all(s.lead == "harp" for s in styles("a harp", (0, 1, 3)))
    assert read_wishes("the terrain of Spain") == read_wishes("nothing")


def test_rain_is_heard():
    """Rain is a hiss: the band of 4 to 9 kHz of the quiet opening is louder than without it."""
    made = HouseSynth(duration=8.0, genre="melodic", loop=False)
    dry, wet = (made.generate([Topic(t)], [0])[0].samples for t in ("a walk", "a walk in the rain"))

    def hiss(x):
        power = np.abs(np.fft.rfft(x[0, :44100])) ** 2
        return power[4000:9000].sum() / power.sum()

    assert hiss(wet) > 2 * hiss(dry)


def test_thirty_seconds_have_every_section():
    for seed in range(4):
        sections = HouseSynth(duration=30.0).generate([Topic("coffee")], [seed])[0].plan.sections
        assert [s.name for s in sections][:5] == ["intro", "build", "drop", "break", "drop"], seed


@pytest.fixture(scope="module")
def whole():
    """A song with its stems and MIDI, at a tempo that lasts no whole number of microseconds."""
    make = HouseSynth(duration=16.0, stems=True, key="F# minor", tempo=127.0, form="breakbeat")
    return make.generate([Topic("a rainy city")], [1])[0]


def test_stems_sum_to_the_song(whole):
    soundfile = pytest.importorskip("soundfile")
    stems = [soundfile.read(io.BytesIO(b))[0].T for n, b in whole.parts.items() if n.startswith("stem-")]
    assert len(stems) == 5 and all(np.abs(s).max() < 1 for s in stems)
    assert 20 * np.log10(np.abs(sum(stems) - whole.samples).max()) < -80
    assert all((s**2).mean() > 1e-7 for s in stems)


def test_stems_change_nothing_that_is_heard(whole):
    make = HouseSynth(duration=16.0, key="F# minor", tempo=127.0, form="breakbeat")
    assert np.abs(make.generate([Topic("a rainy city")], [1])[0].samples - whole.samples).max() < 1e-5


def test_midi_opened_by_pretty_midi_has_the_plan_s_tempo_key_and_notes(whole):
    pretty_midi = pytest.importorskip("pretty_midi")
    read = pretty_midi.PrettyMIDI(io.BytesIO(whole.parts["song.mid"]))
    assert read.get_tempo_changes()[1] == pytest.approx([whole.plan.tempo], abs=1e-3)
    assert pretty_midi.key_number_to_key_name(read.key_signature_changes[0].key_number) == "F# minor"
    scale = {(6 + s) % 12 for s in (0, 2, 3, 5, 7, 8, 10)}
    parts = {i.name: i for i in read.instruments}
    assert {"bass", "chords", "lead", "kick", "clap", "hats"} <= set(parts)
    for name, part in parts.items():
        assert part.is_drum == (name in ("kick", "clap", "hats", "perc")) and part.notes
        assert part.is_drum or {n.pitch % 12 for n in part.notes} <= scale, name
        assert max(n.end for n in part.notes) <= float(whole.duration) + 0.01
    beats = np.array(whole.plan.beats)
    first = [n.start for n in parts["kick"].notes if n.start >= whole.plan.sections[2].start]
    on = [s for s in first if np.abs(beats - s).min() < 0.002]
    assert 0 < len(on) < len(first), "a breakbeat has kicks on and off the beat"


def test_the_plan_goes_into_the_file_s_tags_and_the_parts_beside_it(whole, tmp_path):
    soundfile = pytest.importorskip("soundfile")
    save(whole, tmp_path)
    with soundfile.SoundFile(tmp_path / "song.wav") as file:
        tags = file.copy_metadata()
        assert len(file) == whole.samples.shape[1]
    assert "tempo=127 BPM; key=F# minor" in tags["comment"] and tags["genre"].endswith("house")
    assert set(whole.parts) <= {p.name for p in tmp_path.iterdir()}
    assert load(tmp_path).plan == whole.plan
    json.loads((tmp_path / "plan.json").read_text())


TUNE = (60, 60, 67, 67, 69, 69, 67, 65, 65, 64, 64, 62, 62, 60)


def write(path, notes=TUNE, channel=0, tracks=1, metre=(4, 4)):
    file = mido.MidiFile(ticks_per_beat=480)
    for k in range(tracks):
        track = mido.MidiTrack()
        track.append(mido.MetaMessage("time_signature", numerator=metre[0], denominator=metre[1]))
        for midi in notes if k == tracks - 1 else notes[:1]:
            track.append(mido.Message("note_on", note=midi, velocity=90, channel=channel, time=0))
            track.append(mido.Message("note_off", note=midi, velocity=0, channel=channel, time=480))
        file.tracks.append(track)
    file.save(path)
    return str(path)


@pytest.mark.parametrize("tracks, metre", [(1, (4, 4)), (40, (4, 4)), (1, (7, 8))])
def test_a_tune_is_read_from_the_track_with_most_notes(tmp_path, tracks, metre):
    tune, steps = read_melody(write(tmp_path / "a.mid", tracks=tracks, metre=metre))
    assert tune == tuple((4 * k, 4, midi) for k, midi in enumerate(TUNE)) and steps == 64
    assert find_key(tune) == Key(0, "major")
    assert [m for _, _, m in move_to_key(tune, Key(2, "major"))] == [m + 2 for m in TUNE]


def test_the_lead_plays_the_tune(tmp_path):
    pretty_midi = pytest.importorskip("pretty_midi")
    path = write(tmp_path / "a.mid")
    song = HouseSynth(duration=20.0, melody=path, form="club", stems=True).generate([Topic("coffee")], [0])[0]
    assert (song.plan.key, song.plan.mode) == ("C", "major")
    read = pretty_midi.PrettyMIDI(io.BytesIO(song.parts["song.mid"]))
    lead = next(i for i in read.instruments if i.name == "lead")
    drop = next(s for s in song.plan.sections if s.name == "drop")
    played = [n.pitch for n in sorted(lead.notes, key=lambda n: n.start) if n.start >= drop.start - 0.01]
    assert tuple(played[:12]) == TUNE[:12], "the first drop is three bars long"


@pytest.mark.parametrize(
    "notes, channel, message",
    [((), 0, "no notes"), (TUNE, 9, "no notes"), (None, 0, "no MIDI file"), ("missing", 0, "no melody")],
)
def test_files_that_hold_no_tune(tmp_path, notes, channel, message):
    path = tmp_path / "bad.mid"
    if notes is None:
        path.write_bytes(b"MThd\0\0\0\6\0\1\0\1\1")
    elif notes != "missing":
        write(path, notes, channel)
    with pytest.raises(InvalidValue, match=message):
        HouseSynth(melody=str(path))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"form": "garge"}, "did you mean 'garage'"), ({"mood": {"energie": 1}}, "did you mean 'energy'"),
        ({"mood": {"energy": 3}}, "-1 to 1"), ({"mood": 3}, "mood names axes"), ({"tempo": 3}, "60 to 200"),
        ({"tempo": 900}, "60 to 200"), ({"key": "none"}, "unknown note"), ({"melody": 3}, "path of a MIDI file"),
    ],
)  # fmt: skip
def test_bad_settings_say_what_to_do(settings, message):
    with pytest.raises(InvalidValue, match=message):
        HouseSynth(**settings)


LISTEN = """
import json, sys
import librosa, numpy as np, essentia
essentia.log.infoActive = essentia.log.warningActive = False
from essentia.standard import KeyExtractor
from spectrogrand.engines.synth.harmony import FLATS, NOTES
from spectrogrand.plugins.generators.songs.house_synth import HouseSynth
from spectrogrand.types import GENRES, Topic
major = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
minor = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
topics, rows = json.loads(sys.argv[1]), []
for k in range(48):
    tonic, mode = NOTES[k % 12], ("minor", "major")[(k + k // 12) % 2]
    make = HouseSynth(duration=20.0, genre=GENRES[k // 12], key=f"{tonic} {mode}")
    y = make.generate([Topic(topics[k % len(topics)])], [k])[0].mono()
    first, scale, _ = KeyExtractor(sampleRate=44100, profileType="edma")(y)
    low = librosa.resample(y, orig_sr=44100, target_sr=22050)
    chroma = librosa.feature.chroma_cqt(y=low, sr=22050, hop_length=1024).mean(axis=1)
    fits = [(np.corrcoef(np.roll(p, t), chroma)[0, 1], NOTES[t], m)
            for t in range(12) for p, m in ((major, "major"), (minor, "minor"))]
    rows.append(([tonic, mode], [FLATS.get(first, first), scale], list(max(fits)[1:])))
print(json.dumps(rows))
"""


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("essentia") is None, reason="essentia is not installed")
def test_two_key_estimators_hear_the_declared_key_in_all_twelve_keys():
    """12 keys in 4 sub-genres: essentia, and librosa's chroma against Krumhansl's profiles. Essentia in its own process."""
    said = subprocess.run(
        [sys.executable, "-c", LISTEN, json.dumps(TOPICS)], capture_output=True, text=True, check=True
    ).stdout
    rows = json.loads(said.splitlines()[-1])
    agreed = [declared == first == second for declared, first, second in rows]
    assert sum(agreed) >= 44, [row for row, good in zip(rows, agreed, strict=True) if not good]
    assert {tuple(declared)[0] for (declared, _, _), good in zip(rows, agreed, strict=True) if good} == {
        "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B",
    }  # fmt: skip
