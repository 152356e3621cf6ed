"""Keys, modes, chord progressions and voice leading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import InvalidValue, nearest

NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#", "Cb": "B", "Fb": "E", "E#": "F", "B#": "C"}
MODES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}
PROGRESSIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    # scale degrees from 0, one chord a bar; the staples of the style in each mode, with the tonic where the ear looks for it
    # (in major, rounds that lean on vi or V are heard in the relative minor or the dominant: each sets out from I or rests there)
    "major": ((0, 5, 3, 4), (0, 3, 0, 4), (0, 2, 3, 4), (3, 4, 0, 0), (0, 3, 4, 0), (0, 1, 4, 0)),
    "mixolydian": ((0, 6, 3, 0), (0, 3, 6, 3), (0, 4, 6, 3), (3, 6, 0, 0), (0, 6, 3, 4)),
    "dorian": ((0, 3, 0, 6), (0, 6, 3, 3), (0, 2, 3, 6), (0, 3, 6, 2), (0, 4, 3, 6)),
    "minor": ((0, 5, 2, 6), (5, 6, 0, 0), (0, 3, 5, 6), (0, 6, 5, 6), (3, 5, 0, 6), (5, 2, 6, 0)),
    "phrygian": ((0, 1, 0, 6), (0, 5, 1, 0), (0, 1, 6, 0), (0, 3, 1, 0), (0, 6, 5, 1)),
}


@dataclass(frozen=True)
class Chord:
    """A chord over a bar: scale degree, MIDI bass note, and the voiced upper notes (MIDI, ascending)."""

    degree: int
    root: int
    notes: tuple[int, ...]


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class, C is 0) and the name of a mode.

    >>> Key(9, "minor").midi(0, 3), Key(9, "minor").midi(7, 3)
    (57, 69)
    """

    tonic: int
    mode: str

    @property
    def name(self) -> str:
        """The tonic's name, sharps only."""
        return NOTES[self.tonic]

    def midi(self, degree: int, octave: int) -> int:
        """MIDI note of a scale degree (7 is the octave, -1 the seventh below); octave 4 begins at middle C."""
        scale = MODES[self.mode]
        return 12 * (octave + 1) + self.tonic + scale[degree % 7] + 12 * (degree // 7)


def read_key(text: str) -> tuple[int, str | None]:
    """Read "A", "F#", "Bb minor", "D dorian": pitch class and mode (None where not said).

    Raises:
        InvalidValue: no such note or mode.

    >>> read_key("Bb minor")
    (10, 'minor')
    """
    words = text.split() if isinstance(text, str) else []
    if not 1 <= len(words) <= 2:
        raise InvalidValue(f"a key is a note and, if wanted, a mode, got {text!r}: write key=A or key='F# minor'")
    note = words[0][:1].upper() + words[0][1:]
    note = FLATS.get(note, note)
    if note not in NOTES:
        raise InvalidValue(f"unknown note {words[0]!r} in key={text!r}; {nearest(note, NOTES)}")
    mode = words[1].lower() if len(words) == 2 else None
    if mode is not None and mode not in MODES:
        raise InvalidValue(f"unknown mode {words[1]!r} in key={text!r}; {nearest(mode, MODES)}")
    return NOTES.index(note), mode


def voice(key: Key, degrees: Sequence[int], colour: int, centre: int = 62) -> list[Chord]:
    """Voice one chord per degree with the smallest movement between neighbours.

    `colour` is the number of thirds stacked above the triad: 0 triads, 1 sevenths, 2 ninths. The tonic of a major key has no
    seventh, which with the notes above it would be the chord of the mediant, and be heard as that.
    """
    chords: list[Chord] = []
    before: tuple[int, ...] = ()
    for degree in degrees:
        home = key.mode == "major" and degree % 7 == 0
        classes = [key.midi(degree + 2 * k, 0) % 12 for k in range(3 + (0 if home else min(colour, 1)))]
        ninth = key.midi(degree + 1, 0) % 12
        if colour == 2 and not home:  # a ninth chord is voiced without its fifth, which only thickens the sound
            del classes[2]
        best: tuple[float, tuple[int, ...]] | None = None
        for lowest in range(centre - 8, centre + 3):
            notes = tuple(sorted(lowest + (c - lowest) % 12 for c in classes))
            if colour == 2:
                notes += (notes[-1] + 1 + (ninth - notes[-1] - 1) % 12,)
            cost = abs(float(np.mean(notes)) - centre)
            if before:
                cost += sum(min(abs(a - b) for b in before) for a in notes)
            if best is None or cost < best[0]:
                best = (cost, notes)
        assert best is not None
        before = best[1]
        root = key.midi(degree, 1)
        while root > 40:  # the bass lives between E1 and D#2 (41 to 78 Hz)
            root -= 12
        while root < 28:
            root += 12
        chords.append(Chord(degree, root, before))
    return chords
