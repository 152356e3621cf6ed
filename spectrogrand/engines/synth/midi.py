"""MIDI in and out: the song's parts as a standard MIDI file, and a tune read from one."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np

from ...errors import InvalidValue
from .harmony import MODES, NOTES, Key
from .score import Score

TICKS = 960
"""Ticks in a quarter note."""
LOWEST, HIGHEST = 36, 96
"""Notes of a tune that the lead can play, C2 to C7; a tune outside is moved by octaves."""
MOST_NOTES = 20_000
_DRUMS = ("kick", "clap", "hats", "perc")
_PROGRAMS = {"bass": 38, "chords": 4, "pad": 89, "arp": 81, "lead": 80}
"""General MIDI programs, counted from 0."""
_PLAYED = {
    "piano": 0, "harp": 46, "pluck": 24, "bell": 14, "marimba": 12, "flute": 73, "strings": 48, "brass": 61, "choir": 52,
    "organ": 16, "vocal": 54, "acid": 80, "saw": 81,
}  # fmt: skip


def write_midi(score: Score) -> bytes:
    """A type-1 file of what the voices played: tempo, 4/4, key, and one track a part; the drums are on channel 10.

    Call it after `song.render`. Modes that MIDI has no sign for are written as the minor or major that shares their third.
    """
    import mido

    tempo = score.style.tempo
    key = score.style.key
    minor = key.midi(2, 0) - key.midi(0, 0) == 3
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS)
    head = mido.MidiTrack()
    head.append(mido.MetaMessage("track_name", name="song", time=0))
    head.append(mido.MetaMessage("set_tempo", tempo=round(60_000_000 / tempo), time=0))
    head.append(mido.MetaMessage("time_signature", numerator=4, denominator=4, time=0))
    head.append(mido.MetaMessage("key_signature", key=_signature(key.tonic, minor), time=0))
    file.tracks.append(head)
    scale = float(TICKS / score.grid.beat_samples)
    for channel, part in enumerate(p for p in (*_PROGRAMS, *_DRUMS) if score.notes.get(p)):
        drum = part in _DRUMS
        seat = 9 if drum else channel
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=part, time=0)])
        if not drum:
            program = _PLAYED.get(score.style.lead or "", _PROGRAMS[part]) if part == "lead" else _PROGRAMS[part]
            track.append(mido.Message("program_change", channel=seat, program=program, time=0))
        events: list[tuple[int, int, int, int]] = []
        for at, stop, midi, force in _without_overlaps(score, part):
            first, last = round(at * scale), round(stop * scale)
            events.append((first, 1, midi, int(np.clip(round(127 * force), 1, 127))))
            events.append((max(first + 1, last), 0, midi, 0))
        now = 0
        for tick, on, midi, velocity in sorted(events):
            kind = "note_on" if on else "note_off"
            track.append(mido.Message(kind, channel=seat, note=midi, velocity=velocity, time=tick - now))
            now = tick
        file.tracks.append(track)
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def _without_overlaps(score: Score, part: str) -> list[tuple[int, int, int, float]]:
    """(start, stop, MIDI, force): a note that begins again while it sounds ends there, as one key can be down but once."""
    made: list[tuple[int, int, int, float]] = []
    sounding: dict[int, int] = {}
    for note in sorted(score.notes[part], key=lambda n: (n.at, n.midi, -n.force)):
        before = sounding.get(note.midi)
        if before is not None:
            at, stop, midi, force = made[before]
            if at == note.at:
                continue
            made[before] = (at, min(stop, note.at), midi, force)
        sounding[note.midi] = len(made)
        made.append((note.at, note.at + note.length, note.midi, note.force))
    return made


def _signature(tonic: int, minor: bool) -> str:
    """The key's name as MIDI writes it: with no more than six sharps or flats."""
    flats = {1: "Db", 3: "Eb", 8: "Ab", 10: "Bb"}
    return f"{NOTES[tonic]}m" if minor else flats.get(tonic, NOTES[tonic])


def read_melody(path: str | os.PathLike[str]) -> tuple[tuple[tuple[int, int, int], ...], int]:
    """Read a tune: the highest notes of the track that has most, in sixteenths of its own beats.

    A metre other than 4/4 runs on across the song's bars. Drums (channel 10) are left out.

    Args:
        path: a standard MIDI file.

    Returns:
        The notes as (sixteenth, length in sixteenths, MIDI), and the number of sixteenths after which the tune begins
        again: whole bars of 4/4.

    Raises:
        InvalidValue: no such file, no MIDI, or no notes that the lead can play.
    """
    import mido

    try:
        file = mido.MidiFile(path, clip=True)
    except FileNotFoundError:
        raise InvalidValue(f"no melody {str(path)!r}: song.melody is the path of a MIDI file") from None
    except (OSError, ValueError, EOFError, KeyError, IndexError, TypeError) as error:
        told = str(error) or type(error).__name__
        raise InvalidValue(
            f"{str(path)!r} is no MIDI file that can be read ({told}): song.melody is a .mid file"
        ) from None
    if file.ticks_per_beat <= 0:
        raise InvalidValue(f"{str(path)!r} counts in film frames, not in beats: save it with ticks per quarter note")
    tracks = [_notes_of(track) for track in file.tracks]
    best = max(tracks, key=len, default=[])
    if not best:
        raise InvalidValue(f"{str(path)!r} has no notes (drums on channel 10 do not count): song.melody needs a tune")
    if len(best) > MOST_NOTES:
        raise InvalidValue(f"{str(path)!r} has {len(best):,} notes in a track, at most {MOST_NOTES:,} are read")
    step = file.ticks_per_beat / 4
    start = min(at for at, _, _ in best)
    start -= start % (4 * file.ticks_per_beat)
    top: dict[int, tuple[int, int]] = {}
    for at, length, midi in best:
        sixteenth = round((at - start) / step)
        if midi > top.get(sixteenth, (0, -1))[1]:
            top[sixteenth] = (max(1, round(length / step)), midi)
    middle = float(np.median([midi for _, midi in top.values()]))
    lift = 12 * round((70 - middle) / 12) if not 55 <= middle <= 86 else 0
    kept = [(at, length, midi + lift) for at, (length, midi) in sorted(top.items()) if LOWEST <= midi + lift <= HIGHEST]
    if not kept:
        raise InvalidValue(f"{str(path)!r} has no notes from C2 to C7: song.melody needs a tune in a singer's range")
    end = max(at + length for at, length, _ in kept)
    return tuple(kept), 16 * max(1, -(-end // 16))


def _notes_of(track: Any) -> list[tuple[int, int, int]]:
    """(tick, length, MIDI) of a track's notes; one that never ends lasts a tick."""
    now, down, made = 0, dict[tuple[int, int], int](), list[tuple[int, int, int]]()
    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == 9:
            continue
        key = (message.channel, message.note)
        if key in down:
            made.append((down[key], now - down.pop(key), message.note))
        if message.type == "note_on" and message.velocity > 0:
            down[key] = now
    return made + [(at, 1, midi) for (_, midi), at in down.items()]


def find_key(melody: tuple[tuple[int, int, int], ...]) -> Key:
    """The key whose profile (Krumhansl & Kessler 1982) fits a tune's notes best, weighted by their length: major or minor."""
    weight = np.bincount([m % 12 for _, _, m in melody], [length for _, length, _ in melody], 12)
    major = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
    minor = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
    fits = [
        (float(np.dot((np.roll(p, t) - p.mean()) / p.std(), weight)), t, mode)
        for t in range(12)
        for p, mode in ((major, "major"), (minor, "minor"))
    ]
    _, tonic, mode = max(fits)
    return Key(tonic, mode)


def move_to_key(melody: tuple[tuple[int, int, int], ...], key: Key) -> tuple[tuple[int, int, int], ...]:
    """The tune moved by at most six semitones so that its tonic is the key's, its third the mode's where they differ."""
    own = find_key(melody)
    by = (key.tonic - own.tonic + 6) % 12 - 6
    scale = MODES[key.mode]
    moved = []
    for at, length, midi in melody:
        degree = (midi - own.tonic) % 12
        into = MODES[own.mode].index(degree) if degree in MODES[own.mode] else None
        bend = scale[into] - degree if into is not None else 0
        moved.append((at, length, midi + by + bend))
    return tuple(moved)
