"""A picture, or any text -> caption -> sentence embedding -> nearest lines of lyrics -> songs, with the lines that match."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, InvalidValue, UnknownName, nearest
from ..lyrics.ranking import RULES, rank
from ..lyrics.reading import FEATURES
from ..lyrics.searching import Index
from ..run.run import Run
from ..types import MAX_TOPIC, Topic
from ._picture import caption, named, shown
from ._playing import listen
from ._settings import own_files, slots, whole


def check(config: Mapping[str, Any]) -> str:
    """Check the settings before anything is made; returns what the run is called: the text, or the picture's name."""
    whole(config, "found", 1, 100)
    whole(config, "lines", 1, 10_000)
    whole(config, "probes", 1, 2048)
    whole(config, "seed", 0, 2**31)
    if config["ranking"] not in RULES:
        raise UnknownName(f"no ranking {config['ranking']!r}; {nearest(str(config['ranking']), RULES)}")
    limits(config.get("filters") or {})
    slots(config, "embedder")
    if not config.get("index"):
        raise ConfigError(
            "which index of lyrics? make one with spectrogrand index LYRICS.csv FOLDER and give index=FOLDER"
        )
    allowed(Index(Path(str(config["index"])), config["probes"]), limits(config.get("filters") or {}))
    if config.get("picture") and config.get("topic") is not None:
        raise ConfigError("songs for a picture or for a text? give picture=FILE or topic=TEXT, not both")
    if config.get("picture"):
        slots(config, "captioner", "cover")
        own_files(config, "cover")
        return named(config)
    if config.get("topic") is None:
        raise ConfigError('songs for what? give picture=FILE or topic="a walk in the rain"')
    return Topic(config["topic"]).text


def run(config: Mapping[str, Any], run: Run) -> Path:
    """Find the songs and return the report's path."""
    name = check(config)
    index = Index(Path(str(config["index"])), config["probes"])
    songs = allowed(index, limits(config.get("filters") or {}))
    embedder = run.part("embedder")
    index.agree(embedder)
    text = Topic(caption(run, shown(run))[:MAX_TOPIC]).text if config.get("picture") else name

    begun = time.monotonic()
    query = embedder.embed([text])[0]
    found = rank(index, query, count=config["found"], rule=config["ranking"], lines=config["lines"], songs=songs)
    run.record["found"] = {
        "query": text, "ranking": config["ranking"],
        "index": {k: index.about[k] for k in ("songs", "lines", "clusters", "embedder")}, "songs": [],
    }  # fmt: skip
    for place, one in enumerate(found, 1):
        row = {k: index.songs[k][one.song] for k in ("id", "title", "artist")}
        known = {k: index.songs[k][one.song] for k in FEATURES}
        features = {k: round(float(v), 3) for k, v in known.items() if v is not None and np.isfinite(v)}
        heard = listen(run, index, one.song, place)
        lines = [{"text": t, "cosine": c} for t, c in one.lines]
        run.record["found"]["songs"].append(
            row | heard | {"score": round(one.score, 4), "lines": lines, "features": features}
        )
    run.record["steps"].append(
        {
            "slot": "search",
            "name": embedder.name,
            "reused": 0,
            "made": len(found),
            "seconds": round(time.monotonic() - begun, 3),
        }
    )
    return run.finish()


def limits(filters: Any) -> dict[str, tuple[float, float]]:
    """The filters that are set, as (lowest, highest).

    >>> limits({"energy": [0.5, 1], "valence": None})
    {'energy': (0.5, 1.0)}
    """
    if not isinstance(filters, Mapping):
        raise ConfigError(f"filters is a mapping, got {filters!r}: set filters.energy=[0.5,1]")
    found = {}
    for name, span in filters.items():
        if name not in FEATURES:
            raise UnknownName(f"no filter {name!r}; {nearest(str(name), FEATURES)}")
        if span is None:
            continue
        numbers = isinstance(span, list | tuple) and all(
            isinstance(v, int | float) and not isinstance(v, bool) for v in span
        )
        if not numbers or len(span) != 2 or not 0 <= span[0] <= span[1] <= 1:
            raise ConfigError(
                f"filters.{name} is [lowest, highest] in [0, 1], got {span!r}: set filters.{name}=[0.5,1]"
            )
        found[str(name)] = (float(span[0]), float(span[1]))
    return found


def allowed(index: Index, spans: Mapping[str, tuple[float, float]]) -> np.ndarray | None:
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
