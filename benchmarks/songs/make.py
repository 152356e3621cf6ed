"""Makes the songs that are measured, as WAV with a plan beside each: FOLDER/SET/TOPIC/SEED.wav. What is there is kept.

    python benchmarks/songs/make.py FOLDER [--sets topics moods tags] [--first N]

Run by its path and with another revision's sources in PYTHONPATH, it makes that revision's songs.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

TOPICS = (
    "a glass castle", "children playing", "an electric eel", "the desert wind", "a broken machine", "a night flight",
    "hope after the war", "a waterfall", "the king of cats", "a crowded market", "frozen lake", "a ghost ship",
    "roses and thorns", "a rocket launch", "deep breathing", "a train through the mountains",
)  # fmt: skip
"""Sixteen topics that no part of the generator was adjusted on."""
MOODS = (
    # axis, the topic that lies higher on it, the one that lies lower; written down before any of these songs was made
    ("valence", "a joyful wedding", "a funeral"), ("arousal", "a wild street carnival", "falling asleep"),
    ("valence", "winning the championship", "losing a friend"), ("arousal", "a car chase", "a quiet lake at dawn"),
    ("tension", "a murderer in the house", "a hammock on a summer afternoon"),
    ("valence", "happy children", "an abandoned orphanage"), ("arousal", "a furious battle", "slow breathing"),
    ("valence", "a sunny birthday picnic", "a lonely grave in winter"), ("tension", "a nightmare", "a peaceful garden"),
    ("arousal", "an explosion of energy", "a sleepy cat"),
)  # fmt: skip
TAGS = (
    # a tag of the tagger, and a topic that asks for it
    ("party", "a party on the roof"), ("sad", "a sad farewell"), ("happy", "a happy puppy"), ("ambient", "ambient glaciers"),
    ("chillout", "chillout on a terrace"), ("jazz", "a jazz cellar"), ("folk", "a folk dance"),
    ("acoustic", "an acoustic guitar by the fire"), ("Hip-Hop", "hip hop on the corner"), ("beautiful", "beautiful flowers"),
)  # fmt: skip
SEED = 7000
TAKES = {"topics": 4, "moods": 1, "tags": 1}
"""Candidates of each topic, by set."""


def sets() -> dict[str, list[str]]:
    """The topics of each set."""
    return {
        "topics": list(TOPICS),
        "moods": [t for _, high, low in MOODS for t in (high, low)],
        "tags": [t for _, t in TAGS],
    }


def place(folder: Path, name: str, topic: str, take: int) -> Path:
    """Where a song lies."""
    return folder / name / topic.replace(" ", "-") / f"{SEED + take}.wav"


def main() -> None:
    """Make what is missing: `TAKES` candidates a topic, thirty seconds each, everything else as it comes."""
    from spectrogrand.media import save_audio
    from spectrogrand.plugins.generators.songs.house_synth import HouseSynth
    from spectrogrand.types import Topic

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="*", default=list(sets()))
    parser.add_argument("--first", type=int, default=None, help="only so many topics of each set")
    options = parser.parse_args()
    maker = HouseSynth(duration=30.0)
    for name in options.sets:
        for topic in sets()[name][: options.first]:
            for take in range(TAKES[name]):
                file = place(options.folder, name, topic, take)
                if file.exists():
                    continue
                file.parent.mkdir(parents=True, exist_ok=True)
                song = maker.generate([Topic(topic)], [SEED + take])[0]
                save_audio(file, song)
                file.with_suffix(".json").write_text(json.dumps(asdict(song.plan)), "utf-8")


if __name__ == "__main__":
    main()
