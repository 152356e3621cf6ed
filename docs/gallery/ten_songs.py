"""Draws ten songs, two real tracks and the published song as waveform and mel spectrogram, 30 s each at most.

python benchmarks/songs/make.py FOLDER --sets topics moods
python docs/gallery/ten_songs.py FOLDER [SHARED]     (SHARED is ../shared)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import librosa
import matplotlib
import numpy as np

from benchmarks.songs.make import place
from spectrogrand.media import load_audio
from spectrogrand.types import Audio

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
SONGS = (
    ("topics", "a glass castle", 0), ("topics", "a glass castle", 3), ("topics", "children playing", 1),
    ("topics", "an electric eel", 2), ("topics", "the desert wind", 0), ("topics", "a broken machine", 1),
    ("topics", "a night flight", 3), ("moods", "a joyful wedding", 0), ("moods", "a funeral", 0),
    ("moods", "a wild street carnival", 0),
)  # fmt: skip
SECONDS = 30.0


def column(axes: tuple[plt.Axes, plt.Axes], song: Audio, title: str, sections: list[dict[str, float]]) -> None:
    """Waveform above mel spectrogram, with the sections' edges."""
    y = song.mono()[: int(SECONDS * song.rate)]
    length = len(y) / song.rate
    peaks = np.abs(y[: len(y) // 800 * 800].reshape(800, -1)).max(axis=1)
    at = np.linspace(0, length, 800)
    axes[0].fill_between(at, -peaks, peaks, color="#4a2a7a", lw=0)
    axes[0].set_ylim(-1, 1)
    axes[0].set_title(title, fontsize=8, loc="left")
    power = librosa.feature.melspectrogram(
        y=y, sr=song.rate, n_fft=2048, hop_length=song.rate // 50, n_mels=96, fmax=16000
    )
    level = librosa.power_to_db(power, ref=np.max, top_db=70)
    axes[1].imshow(level, origin="lower", aspect="auto", cmap="magma", extent=(0, length, 0, 96))
    for axis in axes:
        axis.set_yticks([])
        axis.set_xlim(0, SECONDS)
        axis.tick_params(labelsize=6)
    axes[0].set_xticks([])
    for section in sections:
        axes[1].axvline(section["start"], color="white", lw=0.7, alpha=0.8)
        axes[1].text(section["start"], 92, f" {section['name']}", fontsize=5.5, color="white", va="top")


def main(folder: Path, shared: Path) -> None:
    """The sheet."""
    figure, axes = plt.subplots(10, 3, figsize=(15, 14), height_ratios=[0.5, 1] * 5)
    places = [(2 * (k // 3), k % 3) for k in range(13)]
    sheets = []
    for name, topic, take in SONGS:
        file = place(folder, name, topic, take)
        plan = json.loads(file.with_suffix(".json").read_text("utf-8"))
        title = f"{topic} ({take}): {plan['genre']}, {plan['tempo']:g} BPM, {plan['key']} {plan['mode']}"
        sheets.append((load_audio(file), title, plan["sections"]))
    for path, title in (
        ("audio/outfoxing.mp3", "real: Outfoxing the Fox (K. MacLeod)"), ("audio/loop_mika.flac", "real: loop, 120 BPM"),
        ("demo/spaceships_static.mp4", "published: AudioLDM2, spaceships, 10 s at 16 kHz"),
    ):  # fmt: skip
        sheets.append((load_audio(shared / "data" / path), title, []))
    for (row, at), (song, title, sections) in zip(places, sheets, strict=True):
        column((axes[row, at], axes[row + 1, at]), song, title, sections)
    for axis in axes[8:, 1:].ravel():
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(HERE / "ten-songs.jpg", dpi=75, pil_kwargs={"quality": 80})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "../shared"))
