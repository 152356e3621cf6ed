"""A true sentence about music from what can be measured: tempo, key, loudness, timbre, rhythm, genre, instruments by tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ....audio.describe import Facts, listen
from ....errors import InvalidValue
from ....interfaces import Card, Generator
from ....registry import inner, register
from ....types import GENRES, Audio

GENRE_TAGS = {
    "hip hop": "hip hop", "rnb": "R&B", "electronica": "electronic", "classic rock": "rock", "hard rock": "rock",
    "alternative rock": "rock", "indie rock": "indie", "indie pop": "indie", "heavy metal": "metal", "progressive rock": "rock",
    **{g: g for g in ("rock", "pop", "indie", "electronic", "dance", "jazz", "metal", "soul", "folk", "punk", "blues", "ambient",
                      "country", "funk", "electro", "house", "classical", "latin", "reggae", "disco", "techno", "gospel", "rap")},
}  # fmt: skip
"""Tags, in small letters and without hyphens, that name a genre, and what the caption calls it."""
HEARD_TAGS = {
    "female vocalists": "a female voice", "female vocalist": "a female voice", "male vocalists": "a male voice",
    "acoustic": "acoustic instruments",
}  # fmt: skip
UNSAID_TAGS = (
    "alternative", "00s", "90s", "80s", "70s", "60s", "oldies", "beautiful", "chillout", "chill", "mellow", "instrumental",
    "experimental", "party", "easy listening", "sexy", "catchy", "sad", "happy",
)  # fmt: skip
"""Tags that are opinions or dates, not what is heard."""


@register("mir_caption")
class MirCaption(Generator):
    """Writes what is measured and nothing else; what is not clear is left out, so no model can make anything up.

    Tempo and key are named where they are certain; loudness, brightness, percussion, bass and density by fixed limits. A
    genre is named where the classifier is sure of it, instruments where a tagger hears them.

    Args:
        genre: a classifier's config, or null to name none; its sub-genres of house are called "... house".
        sound_embedder: a tagger's config: an embedder whose `axes` name its columns, probabilities in [0, 1]; null for none.
        certain: from which probability a genre is believed, 0 to 1.
        certain_tag: the same of a tag (a tagger of fifty tags is
            rarely surer than a half).

    >>> MirCaption(genre=None).generate([Audio(np.zeros((1, 8000), np.float32), 8000)], [0])
    ['Silence.']
    """

    parts = {"genre": "classifiers", "sound_embedder": "embedders"}
    card = Card(
        "a true sentence from measured tempo, key, loudness, brightness, percussion, bass, and what a classifier is sure of",
        paper="Krumhansl 1990 (key profiles); FitzGerald, DAFx 2010 (harmonic/percussive); Ellis 2007 (beats)",
    )
    source = Audio
    artefact = str

    def __init__(
        self, *, genre: dict[str, Any] | str | None = None, sound_embedder: dict[str, Any] | str | None = None,
        certain: float = 0.5, certain_tag: float = 0.3,
    ) -> None:  # fmt: skip
        for name, value in (("certain", certain), ("certain_tag", certain_tag)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise InvalidValue(f"mir_caption takes {name} from 0 to 1, got {value!r}")
        self.genre, self.sound_embedder, self.certain, self.certain_tag = genre, sound_embedder, certain, certain_tag

    def identity(self) -> Mapping[str, Any]:
        """The versions of what measures the key."""
        from importlib.metadata import version

        return {"librosa": version("librosa")}

    def generate(self, sources: Sequence[Audio], seeds: Sequence[int]) -> list[str]:
        """One sentence per sound; seeds change nothing.

        Raises:
            InvalidValue: a source that is no sound, or holds samples that are not finite.
        """
        for sound in sources:
            if not isinstance(sound, Audio):
                raise InvalidValue(f"mir_caption describes Audio, got {type(sound).__name__}: load it with load_audio")
        return [self._sentence(sound) for sound in sources]

    def _sentence(self, sound: Audio) -> str:
        facts = listen(sound)
        if facts.loudness == float("-inf"):
            return "Silence."
        if facts.seconds < 1:
            return f"A {_loud(facts) or 'plain'} sound of {max(1, round(1000 * facts.seconds))} milliseconds."
        tags = self._tags(sound)
        genre = self._genre(sound) or next((GENRE_TAGS[t] for t in tags if t in GENRE_TAGS), "")
        sounds = [HEARD_TAGS.get(t, t) for t in tags if t not in GENRE_TAGS and t not in UNSAID_TAGS]
        mood = ", ".join(w for w in (_fast(facts), _loud(facts), _bright(facts)) if w)
        what = " ".join(w for w in (mood, genre, "music") if w)
        unsaid = "" if facts.seconds < 4 else " without a beat"  # too short to tell
        at = f" at {facts.tempo:.0f} beats per minute" if facts.tempo else unsaid
        key = f" in {facts.key}" if facts.key else ""
        heard = [*_rhythm(facts), *dict.fromkeys(sounds)]
        with_ = (
            f", with {' and '.join([', '.join(heard[:-1]), heard[-1]]) if len(heard) > 1 else heard[0]}"
            if heard
            else ""
        )
        text = f"{what}{at}{key}{with_}."
        return text[0].upper() + text[1:]

    def _genre(self, sound: Audio) -> str:
        if self.genre is None:
            return ""
        judge = inner(self, "genre")
        rows, names = judge.classify([sound])
        sure = judge.confidence([sound]) if hasattr(judge, "confidence") else None
        best = int(np.argmax(rows[0]))
        believed = float(rows[0, best]) if sure is None else float(sure[0])
        if believed < self.certain:
            return ""
        return f"{names[best]} house" if names[best] in GENRES else str(names[best])

    def _tags(self, sound: Audio) -> list[str]:
        if self.sound_embedder is None:
            return []
        tagger = inner(self, "sound_embedder")
        names = tuple(getattr(tagger, "axes", ()))
        values = np.asarray(tagger.embed([sound]))[0]
        if len(names) != len(values):
            raise InvalidValue(f"{self.sound_embedder!r} does not name its columns, so it is no tagger: use music_tags")
        likely = [names[k] for k in np.argsort(-values, kind="stable")[:5] if values[k] >= self.certain_tag]
        return [t.lower().replace("-", " ") for t in likely]


def _fast(facts: Facts) -> str:
    return "" if not facts.tempo else "slow" if facts.tempo < 90 else "fast" if facts.tempo >= 120 else "medium-paced"


def _loud(facts: Facts) -> str:
    return (
        "very quiet"
        if facts.loudness < -40
        else "quiet"
        if facts.loudness < -25
        else "loud"
        if facts.loudness > -14
        else ""
    )


def _bright(facts: Facts) -> str:
    return "dark" if facts.brightness < 1200 else "bright" if facts.brightness > 2600 else "warm"


def _rhythm(facts: Facts) -> list[str]:
    drums = (
        "driving percussion"
        if facts.percussive > 0.35
        else "percussion"
        if facts.percussive > 0.1
        else "sustained tones"
    )
    steady = " on a steady beat" if facts.tempo and facts.steady else ""
    bass = ["heavy bass"] if facts.bass > 0.6 else []
    busy = ["many short sounds"] if facts.density > 6 else ["few, long sounds"] if facts.density < 1.5 else []
    return [drums + steady, *bass, *busy]
