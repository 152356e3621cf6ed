"""A picture, or any text -> caption -> sentence embedding -> nearest lines of lyrics -> songs, with the lines that match."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as plain_field
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import field, one_of, text, whole
from ..errors import ConfigError, InvalidValue, UnknownName, nearest
from ..interfaces import Embedder, Generator
from ..lyrics.ranking import RULES, rank
from ..lyrics.reading import FEATURES
from ..lyrics.searching import Index
from ..runs.playing import listen
from ..runs.run import Run
from ..runs.slots import Slot
from ..types import MAX_TOPIC, CoverBrief, Image, Topic
from ._picture import Pictured, show_picture, write_caption

SLOTS = {
    "captioner": Slot(Generator, Image, str), "cover": Slot(Generator, CoverBrief, Image), "embedder": Slot(Embedder),
}  # fmt: skip


def read_limits(name: str, filters: Any) -> dict[str, tuple[float, float]]:
    """The filters that are set, as (lowest, highest).

    >>> read_limits("filters", {"energy": [0.5, 1], "valence": None})
    {'energy': (0.5, 1.0)}
    """
    if not isinstance(filters, Mapping):
        raise ConfigError(f"{name} is a mapping, got {filters!r}: set {name}.energy=[0.5,1]")
    found = {}
    for key, span in filters.items():
        if key not in FEATURES:
            raise UnknownName(f"no filter {key!r}; {nearest(str(key), FEATURES)}")
        if span is None:
            continue
        numbers = isinstance(span, list | tuple) and all(
            isinstance(v, int | float) and not isinstance(v, bool) for v in span
        )
        if not numbers or len(span) != 2 or not 0 <= span[0] <= span[1] <= 1:
            raise ConfigError(f"{name}.{key} is [lowest, highest] in [0, 1], got {span!r}: set {name}.{key}=[0.5,1]")
        found[str(key)] = (float(span[0]), float(span[1]))
    return found


@dataclass(frozen=True, kw_only=True)
class Settings(Pictured):
    """What may be set beside the plug-ins; the index is opened once, when the settings are read."""

    index: str | None = text(default=None)
    found: int = whole(1, 100, default=10)
    lines: int = whole(1, 10_000, default=100)
    probes: int = whole(1, 2048, default=32)
    ranking: str = one_of(RULES, default="best_lines")
    filters: Mapping[str, tuple[float, float]] | None = field(read_limits, default=None)
    opened: Any = plain_field(init=False, default=None, repr=False)
    songs: np.ndarray | None = plain_field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        opened = Index(Path(str(self.index)), self.probes)
        object.__setattr__(self, "opened", opened)
        object.__setattr__(self, "songs", filter_songs(opened, self.filters or {}))

    def find_subject(self) -> str:
        """The text that songs are wanted for, or the picture's name.

        Raises:
            ConfigError: no index, or neither text nor picture, or both.
        """
        if not self.index:
            raise ConfigError(
                "which index of lyrics? make one with spectrogrand index LYRICS.csv FOLDER and give index=FOLDER"
            )
        if self.picture and self.topic is not None:
            raise ConfigError("songs for a picture or for a text? give picture=FILE or topic=TEXT, not both")
        if self.picture:
            return super().find_subject()
        if self.topic is None:
            raise ConfigError('songs for what? give picture=FILE or topic="a walk in the rain"')
        return Topic(self.topic).text

    def idle(self) -> set[str]:
        """Without a picture, nothing is shown or captioned."""
        return set() if self.picture else {"captioner", "cover"}


def run(run: Run, s: Settings) -> None:
    """Find the songs."""
    index: Index = s.opened
    embedder = run.part("embedder")
    index.agree(embedder)
    query = Topic(write_caption(run, show_picture(run))[:MAX_TOPIC]).text if s.picture else s.subject

    begun = time.monotonic()
    vector = embedder.embed([query])[0]
    found = rank(index, vector, count=s.found, rule=s.ranking, lines=s.lines, songs=s.songs)
    rows = []
    for place, one in enumerate(found, 1):
        row = {k: index.songs[k][one.song] for k in ("id", "title", "artist")}
        known = {k: index.songs[k][one.song] for k in FEATURES}
        features = {k: round(float(v), 3) for k, v in known.items() if v is not None and np.isfinite(v)}
        heard = listen(run, index, one.song, place)
        lines = [{"text": t, "cosine": c} for t, c in one.lines]
        rows.append(row | heard | {"score": round(one.score, 4), "lines": lines, "features": features})
    about = {k: index.about[k] for k in ("songs", "lines", "clusters", "embedder")}
    run.note(found={"query": query, "ranking": s.ranking, "index": about, "songs": rows})
    run.note_step("search", embedder, 0, len(found), begun)


def filter_songs(index: Index, spans: Mapping[str, tuple[float, float]]) -> np.ndarray | None:
    """Which songs the filters let through, bool, shape=(song,); None where no filter is set. A song of unknown value is not.

    Raises:
        InvalidValue: no song is left.
    """
    if not spans:
        return None
    kept = np.ones(index.about["songs"], bool)
    for name, (low, high) in spans.items():
        values = np.array([np.nan if v is None else v for v in index.songs[name]], np.float32)
        kept &= (values >= np.float32(low)) & (values <= np.float32(high))  # as they are kept: 0.7 is at least 0.7
    if not kept.any():
        raise InvalidValue(f"no song of {index.folder} passes the filters {dict(spans)}: widen them, or leave them out")
    return kept
