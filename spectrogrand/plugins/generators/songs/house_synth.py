"""House music from a topic, synthesised offline: drums, bass, chords, lead, pads and effects, mixed and mastered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from ....engines.synth.harmony import read_key
from ....engines.synth.forms import FORMS
from ....engines.synth.song import plan_song, render
from ....engines.synth.style import AXES, hash_words, make_style, read_mood
from ....engines.synth.timing import RATE
from ....engines.synth.words import read_wishes
from ....errors import InvalidValue, nearest
from ....interfaces import Card, Generator
from ....registry import build, register
from ....types import GENRES, Audio, Topic

LONGEST = 600
SHORTEST = 0.1


@register("house_synth")
class HouseSynth(Generator):
    """A house song about a topic: stereo, 44.1 kHz, -14 LUFS, with its exact plan (tempo, key, beats, sections).

    The text embedder places the topic on energy, valence, tension, brightness, space and era, and on ten motif families;
    these steer sub-genre, tempo, key, mode, chords, sound, density and the bed of sounds. The seed makes the take.

    Args:
        duration: seconds, 0.1 to 600. The song has exactly this length; a loop has the nearest whole number of bars.
        genre: "future", "bass", "progressive" or "melodic"; None lets the topic choose.
        tempo: beats per minute, 60 to 200; None: within the sub-genre's own range.
        key: "A", "F# minor", "Bb dorian" (modes: major, mixolydian, dorian, minor, phrygian); None: from the topic.
        loop: end leads into start without a seam: whole bars, reverb and echoes wrapped round.
        swing: share of an eighth that its first sixteenth takes, 0.5 (straight) to 0.7; None: by sub-genre and era.
        text: the text embedder's config: a name, or a mapping with `name` and its options.

    Raises:
        InvalidValue: a setting outside its range.

    >>> HouseSynth(duration=2.0).generate([Topic("the sea at night")], [1])[0].samples.shape
    (2, 88200)
    """

    source = Topic
    artefact = Audio
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
        self._embedder: Any = None

    def identity(self) -> Mapping[str, Any]:
        """The text embedder's own identity, and the libraries whose arithmetic makes the samples."""
        import scipy

        return {"text": dict(self._text().identity()), "numpy": np.__version__, "scipy": scipy.__version__}

    def generate(self, sources: Sequence[Topic], seeds: Sequence[int]) -> list[Audio]:
        """One song per (topic, seed)."""
        if len(sources) != len(seeds):
            raise InvalidValue(f"as many seeds as topics are needed, got {len(sources)} topics and {len(seeds)} seeds")
        return [self._song(topic, int(seed)) for topic, seed in zip(sources, seeds, strict=True)]

    def close(self) -> None:
        """Let the text embedder go."""
        if self._embedder is not None:
            self._embedder.close()
        self._embedder = None

    def _text(self) -> Any:
        if self._embedder is None:
            self._embedder = build("embedders", self.text)
        return self._embedder

    def _song(self, topic: Topic, seed: int) -> Audio:
        if seed < 0:
            raise InvalidValue(f"a seed is 0 or more, got {seed}")
        embedder = self._text()
        mood = replace(read_mood(np.asarray(embedder.embed([topic]))[0], tuple(embedder.axes)), **self.mood)
        style = make_style(
            mood, hash_words(topic.text), seed, genre=self.genre,
            tempo=None if self.tempo is None else Fraction(str(self.tempo)),
            key=None if self.key is None else read_key(self.key), swing=self.swing,
            form=self.form, wishes=read_wishes(topic.text),
        )  # fmt: skip
        score, plan = plan_song(style, Fraction(str(self.duration)), self.loop, self.tempo is not None)
        return Audio(np.ascontiguousarray(render(score), np.float32), RATE, plan)


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
