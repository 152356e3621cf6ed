"""spectrogrand: a topic becomes house music, album covers and audiovisuals, chosen at each step by measured creativity.

    import spectrogrand as sg
    result = sg.run(topic="deep space", songs=4, song=sg.generator("house_synth", duration=30.0), seed=7)
    result.song, result.cover, result.videos["motion"], result.candidates("song")

Public names are resolved on first access: importing the package loads neither numpy nor torch.

>>> import spectrogrand
>>> "Audio" in dir(spectrogrand)
True
"""

from __future__ import annotations as _annotations

import importlib as _importlib

from .privacy import silence

silence()
__version__ = "0.1.0"

_HOMES = {
    "Audio": "types", "Image": "types", "Spectrogram": "types", "Frames": "types", "Topic": "types", "Plan": "types",
    "Section": "types", "CoverBrief": "types", "Scene": "types", "GENRES": "types",
    "Generator": "interfaces", "CreativityScorer": "interfaces", "Stylizer": "interfaces", "Gate": "interfaces",
    "Classifier": "interfaces", "Embedder": "interfaces", "Card": "interfaces", "Weights": "interfaces",
    "Reference": "interfaces", "Selector": "interfaces", "Context": "interfaces", "SpectrograndError": "errors",
    "register": "registry", "build": "registry", "names": "registry", "get": "registry", "scorer": "pipelines.wrapping",
    "generator": "pipelines.wrapping", "choose": "selection",
    "mel_spectrogram": "audio.spectrogram", "spectrogram_frames": "audio.spectrogram", "analyse": "audio.features",
    "load_audio": "media", "load_image": "media", "save_audio": "media", "save_image": "media", "save_video": "media",
    "load_video": "media",
    "run": "pipelines.results", "load_run": "pipelines.results",
    "load_runs": "pipelines.results", "Result": "pipelines.results", "compose": "config",
    "list": "runs.listing", "best": "runs.best", "Best": "runs.best",
}  # fmt: skip
__all__ = ["__version__", *_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'spectrogrand' has no attribute {name!r}")
    value: object = getattr(_importlib.import_module(f".{_HOMES[name]}", __name__), "rows" if name == "list" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
