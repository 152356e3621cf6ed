"""`spectrogrand index LYRICS.csv FOLDER`: a table of lyrics becomes an index that songs are found in."""

from __future__ import annotations

import sys
from pathlib import Path

from .. import registry
from ..config import compose
from ..errors import ConfigError
from .building import build_index
from .reading import Table

OPTIONS = ("columns", "lyrics_column", "encoding")
USAGE = "spectrogrand index LYRICS.csv FOLDER [columns=title,artist,lyrics] [lyrics_column=NAME] [encoding=NAME] [embedder=NAME]"


def main(words: list[str]) -> int:
    """`index LYRICS.csv FOLDER [setting=value ...]`: run it again after a kill and it goes on."""
    # a path may hold "=" where it begins as no setting does
    paths = [w for w in words if w.startswith(("/", "./", "../")) or ("=" not in w and not w.startswith("-"))]
    options = dict(w.split("=", 1) for w in words if w.partition("=")[0] in OPTIONS and "=" in w)
    settings = [w for w in words if w not in paths and w.partition("=")[0] not in OPTIONS]
    if len(paths) != 2:
        raise ConfigError(f"say which table becomes which folder: {USAGE}")
    config = compose(["pipeline=recommendation", *settings])
    columns = [c.strip() for c in options["columns"].split(",")] if options.get("columns") else None
    table = Table(Path(paths[0]), columns, options.get("lyrics_column"), options.get("encoding"))
    embedder = registry.build("embedders", config["embedder"])
    half = len(list((Path(paths[1]) / ".building").glob("*.safetensors")))
    if half:
        sys.stderr.write(f"spectrogrand: going on after {half} finished parts\n")
    made = build_index(table, embedder, Path(paths[1]).expanduser(), seed=int(config["seed"]))
    left = f"; left out: {made['left_out']}" if made["left_out"] else ""
    sys.stdout.write(
        f"{paths[1]}: {made['songs']:,} songs, {made['lines']:,} lines, {made['clusters']:,} clusters{left}\n"
    )
    return 0
