"""Draws the gallery's song pictures: python docs/gallery/song_plots.py [SHARED]   (about a minute; SHARED is ../shared)."""

from __future__ import annotations

import sys
from pathlib import Path

import librosa
import matplotlib
import numpy as np
from PIL import Image

from spectrogrand.media import load_audio
from spectrogrand.registry import build
from spectrogrand.types import GENRES, Audio, Topic

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
TOPICS = (
    "the sea at night",
    "a haunted forest",
    "an old steam engine",
    "sunny beach party",
    "sacred geometry",
    "neon city rain",
)


def mel(song: Audio, top: float = 16000) -> np.ndarray:
    """Mel spectrogram in dB under the song's loudest bin, shape=(mel, frame)."""
    power = librosa.feature.melspectrogram(y=song.mono(), sr=song.rate, n_fft=2048, hop_length=441, n_mels=96, fmax=top)
    return librosa.power_to_db(power, ref=np.max, top_db=70)


def panel(axis: plt.Axes, song: Audio, title: str) -> None:
    """One spectrogram with its sections, if it has a plan."""
    axis.imshow(mel(song), origin="lower", aspect="auto", cmap="magma", extent=(0, float(song.duration), 0, 96))
    axis.set_title(title, fontsize=9, loc="left")
    axis.set_yticks([])
    for section in song.plan.sections if song.plan else ():
        axis.axvline(section.start, color="white", lw=0.8, alpha=0.8)
        axis.text(section.start, 93, " " + section.name, fontsize=7, color="white", ha="left", va="top")


def sheet(name: str, songs: list[tuple[Audio, str]], width: float = 11) -> None:
    """A column of spectrograms, one picture file."""
    figure, axes = plt.subplots(len(songs), 1, figsize=(width, 1.75 * len(songs)), squeeze=False)
    for axis, (song, title) in zip(axes[:, 0], songs, strict=True):
        panel(axis, song, title)
    figure.tight_layout()
    figure.savefig(HERE / name, dpi=60)
    plt.close(figure)
    Image.open(HERE / name).convert("RGB").quantize(48).save(HERE / name, optimize=True)


def make(topic: str, seed: int = 0, **settings: object) -> tuple[Audio, str]:
    """A song and its caption."""
    song = build("generators", {"name": "house_synth", **settings}).generate([Topic(topic)], [seed])[0]
    plan = song.plan
    return song, f'"{topic}": {plan.genre} house, {plan.tempo:g} BPM, {plan.key} {plan.mode}'


def main(shared: Path) -> None:
    """All three sheets."""
    sheet("song-sub-genres.png", [make("neon city rain", 1, genre=g, duration=60.0) for g in GENRES])
    sheet("song-topics.png", [make(t, 2) for t in TOPICS])
    published = load_audio(shared / "data" / "demo" / "spaceships_static.mp4")
    sheet("song-beside-published.png", [(published, "published (AudioLDM2, 10 s at 16 kHz)"), make("spaceships", 3)])


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared"))
