"""What a topic asks for in so many words: instruments, places, weather, tempi and kinds of music."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TEMPO = {
    "slow": 0.78, "slowly": 0.78, "calm": 0.88, "lazy": 0.82, "gentle": 0.88, "sleepy": 0.75, "adagio": 0.68, "largo": 0.6,
    "lento": 0.62, "andante": 0.75, "fast": 1.18, "quick": 1.15, "rapid": 1.2, "racing": 1.15, "frantic": 1.25, "presto": 1.4,
    "allegro": 1.12, "hurried": 1.15, "speeding": 1.2, "breakneck": 1.3,
}  # fmt: skip
"""Factor on the tempo."""
_MUCH = ("very", "extremely", "really", "super")
_MUSIC: dict[str, tuple[str, tuple[int, int] | None]] = {
    # form and tempo band of kinds of music
    "drum and bass": ("breakbeat", (170, 176)), "drum & bass": ("breakbeat", (170, 176)), "dnb": ("breakbeat", (170, 176)),
    "jungle music": ("breakbeat", (160, 170)), "breakbeat": ("breakbeat", None), "big beat": ("breakbeat", (120, 132)),
    "dubstep": ("halftime", (138, 142)), "trap": ("halftime", (138, 150)), "hip hop": ("halftime", (84, 96)),
    "hip-hop": ("halftime", (84, 96)), "half-time": ("halftime", None), "half time": ("halftime", None),
    "trip hop": ("halftime", (76, 92)), "lo-fi": ("halftime", (74, 88)), "lofi": ("halftime", (74, 88)),
    "uk garage": ("garage", None), "garage music": ("garage", None), "two-step": ("garage", None), "2-step": ("garage", None),
    "lullaby": ("ambient", (64, 76)), "ambient": ("ambient", None), "meditation": ("ambient", (62, 74)),
    "chillout": ("ambient", None), "new age": ("ambient", None), "hymn": ("ambient", (66, 80)),
    "acid": ("acid", None), "techno": ("acid", (128, 138)), "trance": ("club", (134, 140)), "rave": ("breakbeat", None),
    "classical": ("piano", None), "waltz": ("piano", None), "jazz": ("piano", None), "ballad": ("piano", (70, 84)),
    "gospel": ("piano", None), "samba": ("organic", (100, 112)), "afrobeat": ("organic", None), "tribal": ("organic", None),
    "reggae": ("organic", (72, 90)), "latin": ("organic", None), "salsa": ("organic", (92, 104)), "folk": ("organic", (96, 108)),
    "house music": ("club", None), "deep house": ("club", None), "disco": ("club", (116, 122)), "hardcore": ("club", (160, 175)),
}  # fmt: skip
_INSTRUMENTS = {
    "piano": "piano", "pianos": "piano", "mozart": "piano", "chopin": "piano", "beethoven": "piano", "harp": "harp",
    "guitar": "pluck", "banjo": "pluck", "ukulele": "pluck", "lute": "pluck", "koto": "harp", "sitar": "pluck",
    "bell": "bell", "bells": "bell", "chimes": "bell", "celesta": "bell", "music box": "bell", "lullaby": "bell",
    "marimba": "marimba", "xylophone": "marimba", "kalimba": "marimba", "flute": "flute", "flutes": "flute",
    "whistle": "flute", "recorder": "flute", "violin": "strings", "violins": "strings", "cello": "strings",
    "strings": "strings", "orchestra": "strings", "trumpet": "brass", "trumpets": "brass", "brass": "brass", "horn": "brass",
    "horns": "brass", "saxophone": "brass", "organ": "organ", "choir": "choir", "monks": "choir", "angels": "choir",
    "singing": "choir", "synthesizer": "saw", "synth": "saw", "acid": "acid", "harpsichord": "pluck", "bach": "organ",
}  # fmt: skip
_BEDS = {
    "rain": "rain", "rainy": "rain", "raining": "rain", "drizzle": "rain", "monsoon": "rain", "storm": "thunder",
    "thunder": "thunder", "thunderstorm": "thunder", "lightning": "thunder", "surf": "sea", "surfing": "sea", "sea": "sea",
    "ocean": "sea", "beach": "sea", "waves": "sea", "tide": "sea", "shore": "sea", "vinyl": "vinyl", "record": "vinyl",
    "gramophone": "vinyl", "old": "vinyl", "attic": "vinyl", "crowd": "crowd", "stadium": "crowd", "market": "crowd",
    "cafe": "crowd", "coffee": "crowd", "party": "crowd", "carnival": "crowd", "festival": "crowd", "bar": "crowd",
    "church": "bells", "cathedral": "bells", "wedding": "bells", "monastery": "bells", "temple": "bells", "fire": "fire",
    "campfire": "fire", "volcano": "fire", "candle": "fire", "fireplace": "fire", "wind": "mountains", "snow": "mountains",
    "winter": "mountains", "desert": "mountains", "blizzard": "mountains", "bird": "forest", "birds": "forest",
    "garden": "forest", "dawn": "forest", "jungle": "forest", "forest": "forest", "factory": "machines", "engine": "machines",
    "robot": "machines", "train": "machines", "city": "city", "street": "city", "streets": "city", "traffic": "city",
    "spaceship": "space", "stars": "space", "galaxy": "space",
}  # fmt: skip
_ROOMS = {
    "church": 4.2, "cathedral": 5.0, "monastery": 4.2, "temple": 3.6, "cave": 3.4, "canyon": 3.0, "space": 3.0, "choir": 3.2,
    "hall": 2.6, "tunnel": 2.8, "room": 0.6, "cosy": 0.6, "cozy": 0.6, "bedroom": 0.5, "closet": 0.35, "cafe": 0.7,
    "coffee": 0.7, "desert": 0.5,
}  # fmt: skip
"""Seconds to -60 dB."""


@dataclass(frozen=True)
class Wishes:
    """What the words ask for; None or nothing where they do not say."""

    tempo: float | None = None
    """Beats per minute, named with "bpm"."""
    pace: float = 1.0
    """Factor on the tempo: under 1 is slower."""
    form: str | None = None
    band: tuple[int, int] | None = None
    instruments: tuple[str, ...] = ()
    beds: tuple[str, ...] = ()
    room: float | None = None


NO_WISHES = Wishes()


def read_wishes(text: str) -> Wishes:
    """Read a topic's words. Those that contradict each other ("fast and very slow") count for nothing.

    >>> read_wishes("a slow walk in the rain, 90 bpm")
    Wishes(tempo=90.0, pace=0.78, form=None, band=None, instruments=(), beds=('rain',), room=None)
    >>> read_wishes("drum and bass").band, read_wishes("fast and very slow").pace
    ((170, 176), 1.0)
    """
    plain = " ".join(re.findall(r"[\w&'.-]+", text.casefold()))
    words = [w.strip(".'-") for w in plain.split()]
    named = re.search(r"(?<![\w.])(\d{2,3}(?:\.\d+)?) ?(?:bpm|beats per minute)\b", plain)
    tempo = float(named[1]) if named and 60 <= float(named[1]) <= 200 else None
    paces = [_TEMPO[w] ** (1.5 if i and words[i - 1] in _MUCH else 1.0) for i, w in enumerate(words) if w in _TEMPO]
    opposed = bool(paces) and min(paces) < 1 < max(paces)
    pace = 1.0 if opposed or not paces else min(paces) if paces[0] < 1 else max(paces)
    padded = f" {' '.join(words)} "
    kinds = list(dict.fromkeys(v for k, v in _MUSIC.items() if f" {k} " in padded))
    form, band = kinds[0] if len({k[0] for k in kinds}) == 1 else (None, None)
    rooms = [_ROOMS[w] for w in words if w in _ROOMS]
    played = [v for k, v in _INSTRUMENTS.items() if f" {k} " in padded]
    heard = [_BEDS[w] for w in words if w in _BEDS]
    return Wishes(
        tempo,
        round(pace, 3),
        form,
        band,
        tuple(dict.fromkeys(played)),
        tuple(dict.fromkeys(heard))[:2],
        rooms[0] if rooms else None,
    )
