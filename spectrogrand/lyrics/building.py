"""A table of lyrics -> an index folder: embedded shard by shard, so that a build that was killed goes on where it stopped.

An index is `index.json` (written last: without it there is no index), `vectors.safetensors` (float16), `clusters.safetensors`,
`songs.parquet` and `lines.parquet`. Shards lie in `.building` until they are joined.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidValue, SpectrograndError, StoreError, require
from ..files import disk_errors, parse_json
from ..interfaces import Embedder
from ..progress import Tick, bar
from ..store import digest, file_digest, write_json
from . import arrays, clusters
from .reading import FEATURES, Song, Table
from .soundness import damaged, read_about, sealed

VERSION = 2
"""2: index.json holds the sha256 of its files and its own."""
SHARD = 2048
"""Lines of a shard at least: what a kill can cost at most."""
Progress = Callable[[str], AbstractContextManager[Tick]]
FIELDS = ("id", "title", "artist", "place", *FEATURES)


def identity(embedder: Embedder, dimension: int) -> dict[str, Any]:
    """What an index and a query must agree on: the model's name, the sha256 of its weights, and the number of axes."""
    known = embedder.identity()
    model = embedder.settings.get("model")
    weights = known.get("weights") or digest({"settings": dict(embedder.settings), "identity": dict(known)})
    return {"name": f"{embedder.name} {model}" if model else embedder.name, "weights": weights, "dimension": dimension}


def build_index(
    table: Table,
    embedder: Embedder,
    folder: Path,
    *,
    seed: int = 0,
    exact: int = clusters.EXACT,
    progress: Progress = bar,
) -> dict[str, Any]:
    """Build the index of `table` in `folder`, or go on with it; returns what `index.json` says.

    The same table and model give the same bytes, however often the build was interrupted.

    Args:
        exact: above so many lines the copy for the approximate search is written.
        progress: makes a progress bar from a label.

    Raises:
        MissingExtra: pyarrow or scikit-learn is not installed.
        StoreError: `folder` holds another index, or something else, or cannot be written.
        InvalidValue: the table has no song with words.
    """
    require("pyarrow", "search", "an index of lyrics")
    require("sklearn", "search", "an index of lyrics")
    dimension = int(embedder.embed(["a"]).shape[1])
    about = {
        "version": VERSION, "embedder": identity(embedder, dimension), "seed": seed,
        "table": {"name": table.path.name, "sha256": table.sha256, "bytes": table.size,
                  "folder": str(table.path.absolute().parent)},
        "columns": list(table.columns or []), "lyrics": table.lyrics, "encoding": table.encoding, "exact": exact,
    }  # fmt: skip
    done = _begin(folder, about)
    if done is not None:
        return done
    shards = folder / ".building"
    count = 0
    try:
        with progress("embedding (kB)") as tick:
            for number, songs in enumerate(_shards(table)):
                tick(table.position // 1000, table.size // 1000)
                if not _is_whole(shards, number):
                    _embed(shards, number, songs, embedder)
                count = number + 1
        if not count:
            raise InvalidValue(
                f"{table.path.name} holds no song with words ({table.left_out() or 'no rows'}): nothing to index"
            )
    except SpectrograndError:
        _undone(folder, shards)
        raise
    lines = _join(folder, shards, count, dimension)
    vectors = arrays.mapped(folder / "vectors.safetensors")["vectors"]
    with progress("clustering (lines)") as tick:
        found = clusters.write(folder / "clusters.safetensors", vectors, seed, tick, exact)
    record = about | {"songs": table.counts["songs"], "lines": lines, "clusters": found, "left_out": table.left_out()}
    record = sealed(folder, record)
    write_json(folder / "index.json", record)
    shutil.rmtree(shards, ignore_errors=True)
    return record


def _begin(folder: Path, about: Mapping[str, Any]) -> dict[str, Any] | None:
    """Make the folder ready; the record of a finished index of the same, or None where there is work to do."""
    with disk_errors(folder):
        if folder.exists() and (not folder.is_dir() or _strange(folder)):
            raise StoreError(f"{folder} is there already and is no index of lyrics: choose a new folder")
        (folder / ".building").mkdir(parents=True, exist_ok=True)
    for path in (folder / "index.json", folder / ".building" / "plan.json"):
        if not path.exists():
            continue
        try:
            old = read_about(folder) if path.name == "index.json" else parse_json(path.read_bytes())
            if not isinstance(old, dict) or not isinstance(old.get("table"), dict):
                raise InvalidValue("it holds no object")
        except (OSError, ValueError, StoreError) as error:
            raise StoreError(f"{path} is damaged: delete {folder} and build again") from error
        differs = [k for k in about if k != "table" and old.get(k) != about[k]]
        differs += ["table"] if old.get("table", {}).get("sha256") != about["table"]["sha256"] else []
        if differs:
            raise StoreError(
                f"{folder} holds an index made otherwise ({_difference(differs[0], old, about)}): delete it or choose another"
            )
        if path.name == "index.json" and damaged(folder, old):
            path.unlink()  # its files are made again from the table
        elif path.name == "index.json":
            shutil.rmtree(folder / ".building", ignore_errors=True)
            return dict(old)
    write_json(folder / ".building" / "plan.json", about)
    return None


def _undone(folder: Path, shards: Path) -> None:
    """Take the folder away again where nothing is in it yet: the table will be mended, and is then another one."""
    if not list(shards.glob("*.json"))[1:]:
        shutil.rmtree(shards, ignore_errors=True)
        if not any(folder.iterdir()):
            folder.rmdir()


def _strange(folder: Path) -> bool:
    names = {p.name for p in folder.iterdir()}
    return bool(names) and not names & {"index.json", ".building"}


def _difference(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if key == "embedder":
        a, b = old[key] if isinstance(old.get(key), Mapping) else {}, new[key]
        return f"by {a.get('name')} with {a.get('dimension')} axes, not {b['name']} with {b['dimension']}"
    if key == "table":
        return f"of {(old.get(key) or {}).get('name')}, or that file has changed"
    return f"{key} was {old.get(key)!r}, is {new[key]!r}"


def _shards(table: Table) -> Iterator[list[Song]]:
    """Whole songs in groups of at least `SHARD` lines; the same groups every time."""
    held: list[Song] = []
    lines = 0
    for song in table:
        held.append(song)
        lines += len(song.lines)
        if lines >= SHARD:
            yield held
            held, lines = [], 0
    if held:
        yield held


def _embed(shards: Path, number: int, songs: list[Song], embedder: Embedder) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = [line for song in songs for line in song.lines]
    different = list(dict.fromkeys(texts))  # refrains and stock phrases are embedded once
    row = {text: i for i, text in enumerate(different)}
    vectors = np.asarray(embedder.embed(different), np.float16)[[row[t] for t in texts]]
    if not np.isfinite(vectors).all():
        raise InvalidValue(f"{embedder.name} gave numbers that are not finite: try embedder.dtype=float32")
    arrays.write(shards / f"{number}.safetensors", {"vectors": (vectors.dtype, vectors.shape, [vectors])})
    pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), shards / f"{number}.lines.parquet")
    kinds = {**dict.fromkeys(FIELDS[:4], pa.string()), **dict.fromkeys(FEATURES, pa.float32())}
    columns = {name: pa.array([getattr(s, name) for s in songs], kinds[name]) for name in FIELDS}
    columns["lines"] = pa.array([len(s.lines) for s in songs], pa.int32())
    pq.write_table(pa.table(columns), shards / f"{number}.songs.parquet")
    files = {name: file_digest(shards / name) for name in _names(number)}
    write_json(shards / f"{number}.json", {"songs": len(songs), "lines": len(texts), "files": files})


def _names(number: int) -> tuple[str, str, str]:
    """The files of a shard."""
    return f"{number}.safetensors", f"{number}.lines.parquet", f"{number}.songs.parquet"


def _is_whole(shards: Path, number: int) -> bool:
    """Whether a shard was finished, by this run or one before, and is as it was written."""
    try:
        told = parse_json((shards / f"{number}.json").read_bytes())
        return all(file_digest(shards / name) == told["files"][name] for name in _names(number))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _join(folder: Path, shards: Path, count: int, dimension: int) -> int:
    """All shards as the index's own three files; returns the number of lines."""
    import pyarrow.parquet as pq

    for what in ("lines", "songs"):
        draft = shards / f"{what}.parquet"
        writer = None
        for number in range(count):
            rows = pq.read_table(shards / f"{number}.{what}.parquet")
            writer = writer or pq.ParquetWriter(draft, rows.schema)
            writer.write_table(rows)
        assert writer is not None
        writer.close()
        draft.replace(folder / f"{what}.parquet")
    total = pq.ParquetFile(folder / "lines.parquet").metadata.num_rows
    blocks = (arrays.mapped(shards / f"{n}.safetensors")["vectors"] for n in range(count))
    arrays.write(folder / "vectors.safetensors", {"vectors": (np.dtype(np.float16), (total, dimension), blocks)})
    return int(total)
