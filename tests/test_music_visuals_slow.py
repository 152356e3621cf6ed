"""The visuals of real tracks and of an hour: bounded memory, picture and sound ending together."""

import json
from collections import deque

import numpy as np
import pytest
import soundfile
from test_end_to_end import ends_together, peak_megabytes

from spectrogrand import load_image, load_video

pytestmark = pytest.mark.slow
WORDS = ["pipeline=music_visuals", "song=file", "size=32", "images.size=32", "media.preset=ultrafast"]


def minute(rate=44100):
    """Kicks and a chord that changes, one minute, stereo."""
    t = np.arange(60 * rate) / rate
    kick = 0.6 * np.exp(-(t % 0.5) / 0.05) * np.sin(2 * np.pi * 60 * (t % 0.5))
    chord = 0.1 * np.sin(2 * np.pi * 220 * 2 ** (np.floor(t / 4) % 4 / 12) * t)
    return np.stack([kick + chord, kick - chord], 1)


def test_an_hour_in_flat_memory(tmp_path):
    """Five times the sound costs no more than the curves that are kept: about 100 MB an hour."""
    peaks = {}
    for minutes in (12, 60):
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", 44100, 2, "PCM_16") as file:
            one = minute()
            for _ in range(minutes):
                file.write(one)
        words = [*WORDS, f"song.path={path}", f"output={tmp_path / 'o'}", "fps=6", "caption_seconds=60"]
        peaks[minutes], folder = peak_megabytes(words)
        picture, sound = ends_together(folder, "music_visuals", 6)
        assert 0 <= picture < 1 / 6 and abs(sound) <= 1 / 6
        video = load_video(folder / "music_visuals.mp4")
        assert video.count == minutes * 60 * 6
        last = deque(video, maxlen=1)[0]
        shown = load_image(folder / f"images/{minutes - 1}.png").resized(32, 32).pixels
        assert np.abs(last.astype(int) - shown).mean() < 12
    assert peaks[60] - peaks[12] < 200, peaks


@pytest.mark.parametrize("name", ["outfoxing.mp3", "loop_compus.flac"])
def test_a_real_track_is_better_in_time_than_before(shared, tmp_path, name):
    path = shared / "data/audio" / name
    words = [
        *WORDS[:2],
        "size=96",
        "images.size=96",
        f"song.path={path}",
        f"output={tmp_path}",
        "synchronise=true",
        "fps=30",
    ]
    peak, folder = peak_megabytes(words)
    assert peak < 1500
    picture, sound = ends_together(folder, "music_visuals", 30)
    assert 0 <= picture < 1 / 30 and abs(sound) <= 1 / 30
    found = json.loads((folder / "run.json").read_text())["synchrony"]["music_visuals"]
    assert found["after"]["beat_f1"]["value"] > found["before"]["beat_f1"]["value"]
