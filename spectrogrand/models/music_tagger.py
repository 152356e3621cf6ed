"""Song -> what listeners would call it: a convolutional tagger of 50 tags, read from its published HDF5 weights; no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidValue, require
from ..interfaces import Weights
from ..media import resample
from ..types import Audio
from ..weights import files
from ..weights.sources import Url

FILE = "music_tagger_cnn_weights_tensorflow.h5"
SOURCE = (
    "https://raw.githubusercontent.com/keunwoochoi/music-auto_tagging-keras/90b294091adaada477b9003201dd20a9fe15a3c1/data/"
    "music_tagger_cnn_weights_tensorflow.h5"
)
SHA256 = "8b61b73a8065cb084a9b56e8b5421ee876f38a1aca109ec2ad336e3a17c7c421"
WEIGHTS = Weights(Url(SOURCE, SHA256), 3.5, "MIT", FILE)
PAPER = "Choi, Fazekas & Sandler 2016, Automatic tagging using deep convolutional neural networks, arXiv:1606.00298"
TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock", "jazz",
    "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow", "electronica",
    "80s", "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
    "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening", "sexy", "catchy",
    "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House", "happy",
)  # fmt: skip
"""The fifty most frequent last.fm tags of the Million Song Dataset, in the order of the network's outputs."""
RATE, N_FFT, HOP, N_MELS, FRAMES = 12000, 512, 256, 96, 1366
WINDOW = 349440
"""Samples of a window: 29.12 s, of which 1366 centred frames are made."""
POOLS = ((2, 4), (2, 4), (2, 4), (3, 5), (4, 4))
CHANNELS = (1, 32, 128, 128, 192, 256)
TINY = 1e-6
"""What the published layers add to a standard deviation."""


class MusicTagger:
    """The network in numpy: five times convolution 3x3, batch norm, ELU, max-pooling; then 50 sigmoids.

    A sound is mixed to one channel, brought to 12 kHz and cut into windows of 29.12 s that cover it evenly; a shorter one is
    repeated. Each window's mel spectrogram (decibels of the *squared* mel power, as published) is standardised, which is how
    the input layer's running mean (0.03) and deviation (0.98) say it was trained, although the published code leaves it out.

    Args:
        weights: folder with the published HDF5 file, or that file.
        part: who asks, for messages.
    """

    def __init__(self, weights: str | None, *, part: str = "music_tagger") -> None:
        self.weights, self.part = weights, part
        self._arrays: dict[str, np.ndarray] = {}

    def tags(self, audio: Audio) -> dict[str, float]:
        """Probability of each tag, 0 to 1, the most likely first: the mean over the sound's windows.

        Raises:
            InvalidValue: samples that are not finite, or weights of another network. MissingExtra: no weights, no h5py.
        """
        probabilities = self.probabilities(audio)
        order = np.argsort(-probabilities, kind="stable")
        return {TAGS[k]: float(probabilities[k]) for k in order}

    def probabilities(self, audio: Audio) -> np.ndarray:
        """The same in the order of `TAGS`, float64, shape=(tag,)."""
        arrays = self._load()
        logits = self.features(audio) @ arrays["output_W"] + arrays["output_b"]
        return np.asarray((1 / (1 + np.exp(-logits.astype(np.float64)))).mean(axis=0))

    def features(self, audio: Audio) -> np.ndarray:
        """What the last layer reads, of each window, float32, shape=(window, 256)."""
        arrays = self._load()
        found = []
        for window in windows(audio):
            x = batch_norm(mel_decibels(window)[None], arrays, "bn_0_freq", (1, 1, -1))
            for k, pool in enumerate(POOLS, 1):
                x = convolution(x, arrays[f"conv{k}_W"], arrays[f"conv{k}_b"])
                x = batch_norm(x, arrays, f"bn{k}", (-1, 1, 1))
                x = max_pool(np.where(x > 0, x, np.expm1(np.minimum(x, 0))), *pool)
            found.append(x.reshape(-1))
        return np.array(found, np.float32)

    def path(self) -> Path:
        """Where the weights are.

        Raises:
            MissingExtra: nowhere, or h5py is not installed.
        """
        require("h5py", "train", self.part)
        return files.find(self.weights, WEIGHTS, part=self.part)

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, and versions that decide bytes."""
        from importlib.metadata import version

        return {"weights": files.sha256_of(self.path()), "librosa": version("librosa"), "numpy": version("numpy")}

    def close(self) -> None:
        """Free the weights."""
        self._arrays = {}

    def _load(self) -> dict[str, np.ndarray]:
        if not self._arrays:
            self._arrays = read(self.path())
        return self._arrays


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the HDF5 file by their last name: conv1_W, bn1_running_std, output_b, ...

    Raises:
        InvalidValue: no HDF5 file, another network's, or numbers that are not finite.
    """
    import h5py

    found: dict[str, np.ndarray] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            found[name.rsplit("/", 1)[-1].split(":")[0]] = np.asarray(item, np.float32)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except OSError as error:
        raise InvalidValue(f"{path} is torn or no HDF5 file: get it again from {SOURCE}") from error
    for name, shape in shapes().items():
        got = found.get(name)
        if got is None or got.shape != shape or not np.isfinite(got).all():
            said = "is missing" if got is None else f"is {got.shape}" if got.shape != shape else "is not finite"
            raise InvalidValue(f"{path} is not the music tagger: {name} {said}, expected {shape}: get it from {SOURCE}")
    return found


def shapes() -> dict[str, tuple[int, ...]]:
    """Name -> shape of each array of the network."""
    layers = {"bn_0_freq": FRAMES} | {f"bn{k}": CHANNELS[k] for k in range(1, 6)}
    norms = ("beta", "gamma", "running_mean", "running_std")
    wanted: dict[str, tuple[int, ...]] = {f"{k}_{n}": (size,) for k, size in layers.items() for n in norms}
    for k in range(1, 6):
        wanted |= {f"conv{k}_W": (CHANNELS[k], CHANNELS[k - 1], 3, 3), f"conv{k}_b": (CHANNELS[k],)}
    return wanted | {"output_W": (CHANNELS[-1], len(TAGS)), "output_b": (len(TAGS),)}


def windows(audio: Audio) -> list[np.ndarray]:
    """Stretches of 29.12 s at 12 kHz, float32, that cover a sound from its first sample to its last; a short one is repeated.

    >>> [len(w) for w in windows(Audio(np.ones((1, 12000 * 40), np.float32), 12000))]
    [349440, 349440]
    """
    if not isinstance(audio, Audio):
        raise InvalidValue(f"music_tagger listens to Audio, got {type(audio).__name__}: load it with load_audio")
    if not np.isfinite(audio.samples).all():
        raise InvalidValue("music_tagger needs finite samples: the sound holds NaN or infinity")
    mono = resample(audio.mono()[None], audio.rate, RATE)[0]
    if len(mono) <= WINDOW:
        return [np.resize(mono, WINDOW)]
    count = -(-len(mono) // WINDOW)
    starts = np.linspace(0, len(mono) - WINDOW, count).round().astype(int)
    return [mono[s : s + WINDOW] for s in starts]


def mel_decibels(window: np.ndarray) -> np.ndarray:
    """Decibels of the squared mel power, 80 dB deep, standardised; float32, shape=(mel, frame); zeros for silence."""
    import librosa

    power = librosa.feature.melspectrogram(y=window, sr=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS)
    decibels = librosa.power_to_db(power.astype(np.float64) ** 2, ref=1.0, top_db=80.0)[:, :FRAMES]
    spread = decibels.std()
    return np.asarray((decibels - decibels.mean()) / (spread if spread > TINY else 1), np.float32)


def batch_norm(x: np.ndarray, arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    """gamma * (x - mean) / (deviation + 1e-6) + beta: the file's running_std is a deviation, not a variance."""
    mean, std, gamma, beta = (
        arrays[f"{name}_{k}"].reshape(shape) for k in ("running_mean", "running_std", "gamma", "beta")
    )
    scale = gamma / (std + np.float32(TINY))
    return np.asarray(x * scale + (beta - mean * scale), np.float32)


def convolution(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Correlation with 3x3 kernels, zeros around; (channel, row, column) by (out, in, 3, 3) -> (out, row, column).

    >>> convolution(np.ones((1, 4, 5), np.float32), np.ones((2, 1, 3, 3), np.float32), np.zeros(2, np.float32))[1, :2, :2]
    array([[4., 6.],
           [6., 9.]], dtype=float32)
    """
    channels, rows, columns = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    total = np.repeat(bias.astype(np.float32)[:, None], rows * columns, axis=1)
    for i in range(3):
        for j in range(3):
            part = np.ascontiguousarray(padded[:, i : i + rows, j : j + columns]).reshape(channels, -1)
            total += np.ascontiguousarray(kernel[:, :, i, j]) @ part
    return total.reshape(len(kernel), rows, columns)


def max_pool(x: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Largest of each rows x columns cell; what does not fill a cell is left out.

    >>> max_pool(np.arange(15.0).reshape(1, 3, 5), 2, 2).tolist()
    [[[6.0, 8.0]]]
    """
    channels, height, width = x.shape
    h, w = height // rows, width // columns
    return np.asarray(x[:, : h * rows, : w * columns].reshape(channels, h, rows, w, columns).max(axis=(2, 4)))
