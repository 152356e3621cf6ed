"""Songs whose theme is known: lines written for this, and filler that fits any song; the truth for the recommendation's tests."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

THEMES = {
    "snow": (
        "Snowflakes settle on the frozen lake tonight",
        "White winter covers every roof in town",
        "Icicles are hanging where the roses grew",
        "We build a snowman with a carrot nose",
        "Footprints in the snow lead home to you",
    ),
    "sea": (
        "The waves are rolling over golden sand",
        "A lighthouse blinks across the salty bay",
        "Sail with me on the deep blue ocean",
        "Seagulls are crying where the tide comes in",
        "We drift on the water till the harbour sleeps",
    ),
    "city": (
        "Neon lights are burning on the avenue",
        "Taxis and towers, the traffic never ends",
        "Skyscrapers are shining in the downtown night",
        "I ride the subway past a thousand faces",
        "Concrete and glass, the streets are all awake",
    ),
    "space": (
        "Rockets are climbing past the silver moon",
        "I float among the stars in a tin machine",
        "Galaxies are spinning in the endless dark",
        "The astronaut is waving from his orbit",
        "Planets go by and the comet burns",
    ),
    "forest": (
        "The pine trees whisper in the deep green wood",
        "Moss on the branches and a fox asleep",
        "Follow the deer along the forest trail",
        "Leaves overhead make the sunlight green",
        "An owl is calling from the hollow oak",
    ),
    "rain": (
        "Raindrops are running down the window pane",
        "Thunder is rolling and I have no umbrella",
        "Puddles are filling in the pouring rain",
        "The storm clouds gather over both of us",
        "Soaking wet we dance in the downpour",
    ),
    "fire": (
        "The flames are rising from the burning house",
        "Sparks from the campfire fly into the dark",
        "Everything I owned has turned to ashes",
        "Smoke on the hills and the embers glow",
        "Light a match and watch the bonfire roar",
    ),
    "desert": (
        "Camels are walking over dunes of sand",
        "The scorching sun has dried up every well",
        "Cactus and dust and a rattlesnake's song",
        "We cross the dry Sahara with no water left",
        "A mirage is trembling in the burning heat",
    ),
    "flowers": (
        "Roses and tulips are opening in the garden",
        "You put a daisy behind my ear",
        "Petals are falling from the cherry tree",
        "A field of sunflowers turns to face the day",
        "The scent of lilac and of jasmine blooms",
    ),
    "cars": (
        "The engine is roaring down the open highway",
        "My foot on the gas in a red Cadillac",
        "Tyres are screaming round the final bend",
        "We race our motors till the fuel is gone",
        "Headlights and chrome, I shift into fifth gear",
    ),
}
QUERIES = {
    "snow": "a snowy village in winter",
    "sea": "a sailing boat on the ocean near a beach",
    "city": "a city street with tall buildings at night",
    "space": "a spaceship among stars and planets",
    "forest": "a path through a green forest with tall trees",
    "rain": "people with umbrellas in the rain",
    "fire": "a large bonfire with flames and smoke",
    "desert": "a camel in the sand dunes of a desert",
    "flowers": "a garden full of colourful flowers",
    "cars": "a red sports car on a road",
}
"""What a captioner would say of a picture that shows the theme: none of them is a line."""
FILLER = (
    "Oh baby tell me what you want from me", "I can't believe that it was all a lie", "One more time and then I let you go",
    "Na na na hey hey, sing it again", "I gave you all my heart and you said no", "Don't you know I think about you always",
    "Yesterday I was somebody else", "Hold me tight and never say goodbye", "Everybody put your hands up now",
    "You and I were never meant to be", "Tell your mother I am doing fine", "It takes two to make it right, my love",
)  # fmt: skip


def songs(each: int = 3, seed: int = 0) -> list[dict[str, str]]:
    """`each` songs a theme (two to four lines of it among filler), and as many long songs of filler with one lucky line of it."""
    rng = np.random.default_rng(seed)
    rows = []
    for theme, own in THEMES.items():
        for k in range(each):
            count = int(rng.integers(2, 5))
            lines = [own[i] for i in rng.permutation(len(own))[:count]] + [
                FILLER[i] for i in rng.permutation(len(FILLER))[:4]
            ]
            rows.append(_row(f"{theme}-{k}", theme, lines, rng))
            stray = [own[int(rng.integers(len(own)))], *FILLER]
            rows.append(_row(f"stray-{theme}-{k}", "none", stray, rng))
    return rows


def _row(name: str, theme: str, lines: list[str], rng: np.random.Generator) -> dict[str, str]:
    text = "\n".join(lines[i] for i in rng.permutation(len(lines)))
    return {"song_id": name, "song_name": name.title(), "artist": f"The {theme.title()} Band", "Lyrics": text,
            "energy": f"{rng.random():.3f}", "valence": f"{rng.random():.3f}"}  # fmt: skip


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    """The songs as a CSV file; returns its path."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
