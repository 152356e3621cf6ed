"""House music from a topic, synthesised offline: drums, bass, chords, lead, pads and effects, mixed and mastered."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ....checks import rational
from ....engines.synth.forms import FORMS
from ....engines.synth.harmony import read_key
from ....engines.synth.midi import find_key, move_to_key, read_melody, write_midi
from ....engines.synth.song import plan_song, render, render_stems
from ....engines.synth.style import AXES, hash_words, make_style, read_mood
from ....engines.synth.timing import RATE
from ....engines.synth.words import read_wishes
from ....errors import InvalidValue, nearest
from ....interfaces import Card, Generator
from ....registry import inner, register
from ....types import GENRES, Audio, Topic
from ....weights.files import sha256_of

LONGEST = 600
SHORTEST = 0.1


@register("house_synth")
class HouseSynth(Generator):
    """A house song about a topic: stereo, 44.1 kHz, -14 LUFS, with its exact plan (tempo, key, beats, sections).

    The text embedder places the topic on energy, valence, tension, brightness, space and era, and on ten motif families;
    these steer sub-genre, tempo, key, mode, chords, sound, density and the bed of sounds. The seed makes the take.

    Args:
        duration: seconds, 0.1 to 600. The song has exactly this length; a loop has the nearest whole number of bars.
        genre: "future", "bass", "progressive" or "melodic"; None: the topic chooses. It implies the club form.
        form: "club", "breakbeat", "halftime", "garage", "piano", "ambient", "acid" or "organic"; None: four seeds 4k to 4k + 3
            give a club take, two others that suit the topic, and a quiet one; a kind of music that the topic names counts first.
        tempo: beats per minute, 60 to 200; None: as the topic says ("slow", "140 bpm"), else within the form's own range.
        key: "A", "F# minor", "Bb dorian" (modes: major, mixolydian, dorian, minor, phrygian); None: from the topic.
        mood: places from -1 to 1 on energy, valence, tension, brightness, space, era, instead of the topic's own.
        loop: end leads into start without a seam: whole bars, reverb and echoes wrapped round.
        swing: share of an eighth that its first sixteenth takes, 0.5 (straight) to 0.7; None: by sub-genre and era.
        melody: a MIDI file whose tune the lead plays, moved to the song's key; without `key` the song takes the tune's.
        stems: also make the stems (drums, bass, chords, lead, atmosphere; WAV) and the MIDI of every part.
        text: the text embedder's config: a name, or a mapping with `name` and its options.

    Raises:
        InvalidValue: a setting outside its range, or a melody that cannot be read.

    >>> HouseSynth(duration=2.0).generate([Topic("the sea at night")], [1])[0].samples.shape
    (2, 88200)
    """

    source = Topic
    artefact = Audio
    parts = {"text": "embedders"}
    card = Card(
        summary="house music synthesised from the topic, with an exact plan; no weights",
        paper="Jaisankar & Jayagopi, ICVGIP 2024 (the task); Li, HouseX, arXiv 2207.11690 (the sub-genres)",
        modules=("numpy", "scipy"),
    )

    def __init__(
        self,
        duration: float = 30.0,
        genre: str | None = None,
        form: str | None = None,
        tempo: float | None = None,
        key: str | None = None,
        mood: Mapping[str, float | None] | None = None,
        loop: bool = False,
        swing: float | None = None,
        melody: str | None = None,
        stems: bool = False,
        text: str | Mapping[str, Any] = "lexicon",
    ) -> None:
        _number("duration", duration, SHORTEST, LONGEST, "seconds")
        if genre is not None and genre not in GENRES:
            raise InvalidValue(f"no sub-genre {genre!r}; {nearest(str(genre), GENRES)}")
        if form is not None and form not in FORMS:
            raise InvalidValue(f"no form {form!r}; {nearest(str(form), tuple(FORMS))}")
        if tempo is not None:
            _number("tempo", tempo, 60, 200, "beats per minute")
        if swing is not None:
            _number("swing", swing, 0.5, 0.7, "as a share of an eighth note")
        if key is not None:
            read_key(key)
        self.duration, self.genre, self.tempo, self.key = duration, genre, tempo, key
        self.form, self.mood = form, _read_mood_setting(mood)
        self.loop, self.swing, self.text = bool(loop), swing, text
        if melody is not None and not isinstance(melody, str):
            raise InvalidValue(f"melody is the path of a MIDI file, got {melody!r}: write song.melody=FILE.mid")
        self.melody, self.stems = melody, bool(stems)
        self._tune = None if melody is None else read_melody(melody)

    def identity(self) -> Mapping[str, Any]:
        """The text embedder's own identity, and the libraries whose arithmetic makes the samples."""
        import scipy

        tune = {"melody": sha256_of(Path(self.melody))} if self.melody is not None else {}
        return {
            "text": dict(inner(self, "text").identity()),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            **tune,
        }

    def generate(self, sources: Sequence[Topic], seeds: Sequence[int]) -> list[Audio]:
        """One song per (topic, seed)."""
        if len(sources) != len(seeds):
            raise InvalidValue(f"as many seeds as topics are needed, got {len(sources)} topics and {len(seeds)} seeds")
        return [self._song(topic, int(seed)) for topic, seed in zip(sources, seeds, strict=True)]

    def _key(self) -> tuple[int, str | None] | None:
        if self.key is not None:
            return read_key(self.key)
        if self._tune is None:
            return None
        found = find_key(self._tune[0])
        return found.tonic, found.mode

    def _song(self, topic: Topic, seed: int) -> Audio:
        if seed < 0:
            raise InvalidValue(f"a seed is 0 or more, got {seed}")
        embedder = inner(self, "text")
        mood = replace(read_mood(np.asarray(embedder.embed([topic]))[0], tuple(embedder.axes)), **self.mood)  # type: ignore[arg-type]
        style = make_style(
            mood, hash_words(topic.text), seed, genre=self.genre,
            tempo=None if self.tempo is None else rational(self.tempo),
            key=self._key(), swing=self.swing,
            form=self.form, wishes=read_wishes(topic.text), held=tuple(self.mood),
        )  # fmt: skip
        fixed = self.tempo is not None or style.wishes.tempo is not None
        score, plan = plan_song(style, rational(self.duration), self.loop, fixed)
        if self._tune is not None:
            tune, score.melody_steps = self._tune
            score.melody = move_to_key(tune, style.key)
        if not self.stems:
            return Audio(np.ascontiguousarray(render(score), np.float32), RATE, plan)
        samples, stems = render_stems(score)
        parts = {f"stem-{name}.wav": _wav(stems.pop(name)) for name in tuple(stems)}
        return Audio(np.ascontiguousarray(samples, np.float32), RATE, plan, parts | {"song.mid": write_midi(score)})


def _wav(samples: np.ndarray) -> bytes:
    """24-bit PCM: a stem alone may lie far under full scale."""
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, samples.T, RATE, "PCM_24", format="WAV")
    return out.getvalue()


def _read_mood_setting(mood: Any) -> dict[str, float]:
    if mood is None:
        return {}
    if not isinstance(mood, Mapping):
        raise InvalidValue(f"mood names axes, each from -1 to 1, got {mood!r}: write song.mood.energy=0.8")
    for axis, place in mood.items():
        if axis not in AXES:
            raise InvalidValue(f"no mood {axis!r}; {nearest(str(axis), AXES)}")
        if place is not None:
            _number(f"mood.{axis}", place, -1, 1, "on its axis")
    return {axis: float(place) for axis, place in mood.items() if place is not None}


def _number(name: str, value: Any, low: float, high: float, unit: str) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or not low <= value <= high
    ):
        raise InvalidValue(f"{name} is a number from {low:g} to {high:g} {unit}, got {value!r}")
