"""The ONE loader and writer of sound, picture and video: limits first, one typed error, atomic files.

>>> import tempfile, numpy as np
>>> from pathlib import Path
>>> from spectrogrand.types import Audio
>>> with tempfile.TemporaryDirectory() as folder:
...     save_audio(Path(folder, "tone.wav"), Audio(np.full((1, 8000), 0.25, np.float32), 8000))
...     sound = load_audio(Path(folder, "tone.wav"))
>>> sound.rate, sound.samples.shape, float(sound.samples.max())
(8000, (1, 8000), 0.25)
"""

from __future__ import annotations

from ..files import replacing
from .clock import sound_offset
from .encode import save_video
from .limits import LIMITS, Limits
from .picture import load_image, save_image
from .resampling import resample, resample_blocks
from .sniff import PICTURES, SOUNDS, VIDEOS
from .sound import load_audio
from .sound_writer import save_audio
from .tags import Tags, read_tags, write_tags
from .versions import versions
from .video import load_video

__all__ = [
    "LIMITS", "PICTURES", "SOUNDS", "VIDEOS", "Limits", "Tags", "load_audio", "load_image", "load_video",
    "read_tags", "replacing", "resample", "resample_blocks",
    "save_audio", "save_image", "save_video", "sound_offset", "versions", "write_tags",
]  # fmt: skip
