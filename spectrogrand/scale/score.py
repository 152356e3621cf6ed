"""`spectrogrand score FOLDER OUT.parquet`: every sound or picture of a folder by every scorer; a row a file, errors included.

Rows are written in parts of some hundred files beside OUT, each whole or not at all; a run that was stopped goes on after the
parts that are there. The engine `ray` spreads the parts over a cluster (Ray Core); the rows are those of `local`.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import registry
from ..errors import ConfigError, SpectrograndError, UnknownName, nearest, require
from ..files import replacing
from ..media import PICTURES, SOUNDS, load_audio, load_image
from ..progress import bar
from ..provenance import fingerprint
from ..store import digest
from ..types import Audio

ENGINES = ("local", "ray")
PART = 200
"""Files of a part: what is lost at most when a run is stopped."""
USAGE = "spectrogrand score FOLDER OUT.parquet scorers=danceability,novelty [--engine=ray]"


def list_files(folder: str | Path) -> list[Path]:
    """The sounds and pictures of a folder and below it, sorted by path, hidden ones left out.

    Raises:
        ConfigError: there is none.
    """
    home = Path(folder).expanduser()
    known = (*SOUNDS, *PICTURES)
    found = [
        f for f in sorted(home.rglob("*"))
        if f.suffix.lower() in known and f.is_file() and not any(p.startswith(".") for p in f.relative_to(home).parts)
    ]  # fmt: skip
    if not found:
        raise ConfigError(f"no sounds and no pictures in {str(folder)!r}: {USAGE}")
    return found


def score_part(files: Sequence[str], home: str, scorers: Sequence[str]) -> list[dict[str, Any]]:
    """A row a file: its path below `home`, a column a scorer (None where it does not rate such files), and `error`.

    A file that cannot be read, or that a scorer fails at, is a row with its error; the others are scored all the same.
    """
    rating = [registry.build("scorers", name) for name in scorers]
    rows = []
    for file in files:
        row: dict[str, Any] = {"file": str(Path(file).relative_to(home)), **dict.fromkeys(scorers), "error": None}
        try:
            sound = Path(file).suffix.lower() in SOUNDS
            item = load_audio(file) if sound else load_image(file)
            for scorer in rating:
                if (scorer.artefact is Audio) is sound:
                    value = float(np.asarray(scorer.score([item]))[0])
                    row[scorer.name] = value if np.isfinite(value) else None
                    if not np.isfinite(value):
                        row["error"] = f"{scorer.name} has no finite score ({value})"
        except SpectrograndError as error:
            row["error"] = " ".join(str(error).split())
        except Exception as error:  # one file's defect in one scorer is that file's row
            row["error"] = f"{type(error).__name__}: {' '.join(str(error).split())}"
        rows.append(row)
    for scorer in rating:
        scorer.close()
    return rows


def score(
    folder: str | Path, out: str | Path, scorers: Sequence[str], *, engine: str = "local", part: int = PART
) -> int:
    """Score every file of a folder into a parquet file; returns the number of rows.

    Args:
        folder: of sounds and pictures.
        out: the parquet file; parts lie in `OUT.parts` until it is whole.
        scorers: by name.
        engine: "local", or "ray" for a cluster (the one that RAY_ADDRESS names, else one on this machine).
        part: files of a part.

    Raises:
        UnknownName: no such engine or scorer. ConfigError: nothing to score. MissingExtra: pyarrow or ray is not installed.
    """
    if engine not in ENGINES:
        raise UnknownName(f"no engine {engine!r}; {nearest(engine, ENGINES)}")
    require("pyarrow", "tables", "parquet")
    prints = [fingerprint(registry.build("scorers", name)) for name in scorers]
    if not prints:
        raise ConfigError(f"which scorers? {USAGE}")
    home, target = Path(folder).expanduser().resolve(), Path(out)
    files = [str(f) for f in list_files(home)]
    parts = Path(f"{target}.parts")
    parts.mkdir(parents=True, exist_ok=True)
    wanted = {}
    for start in range(0, len(files), part):
        some = files[start : start + part]
        stamps = [[f, Path(f).stat().st_size, Path(f).stat().st_mtime_ns] for f in some]
        wanted[parts / f"{digest([stamps, prints])[:32]}.parquet"] = some
    todo = {path: some for path, some in wanted.items() if not path.is_file()}
    run = _local if engine == "local" else _ray
    with bar(f"scoring {home.name}") as tick:
        for done, (path, rows) in enumerate(run(todo, str(home), list(scorers)), 1):
            _write(path, rows, scorers)
            tick(done, len(todo))
    count = _join(list(wanted), target)
    shutil.rmtree(parts)
    return count


def _local(
    todo: Mapping[Path, list[str]], home: str, scorers: list[str]
) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    for path, some in todo.items():
        yield path, score_part(some, home, scorers)


def _ray(todo: Mapping[Path, list[str]], home: str, scorers: list[str]) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Parts as tasks, as many at once as the cluster has processors; a task whose worker dies is begun again elsewhere."""
    require("ray", "cluster", "the engine ray")
    import ray

    started = not ray.is_initialized()
    if started:
        ray.init(include_dashboard=False, log_to_driver=False, configure_logging=False, _skip_env_hook=True)
    try:
        work = ray.remote(max_retries=3)(score_part)
        at_once = max(1, int(ray.cluster_resources().get("CPU", 1))) * 2
        left, running = list(todo.items()), dict[Any, Path]()
        while left or running:
            while left and len(running) < at_once:
                path, some = left.pop(0)
                running[work.remote(some, home, scorers)] = path
            (ready, *_), _ = ray.wait(list(running), num_returns=1)
            yield running.pop(ready), ray.get(ready)
    finally:
        if started:
            ray.shutdown()


def _write(path: Path, rows: Sequence[Mapping[str, Any]], scorers: Sequence[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = [("file", pa.string()), *((name, pa.float64()) for name in scorers), ("error", pa.string())]
    with replacing(path) as draft:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=pa.schema(kinds)), draft)


def _join(parts: Sequence[Path], target: Path) -> int:
    """The parts in the files' order as one file, a part at a time in memory."""
    import pyarrow.parquet as pq

    count = 0
    with replacing(target) as draft, pq.ParquetWriter(draft, pq.read_schema(parts[0])) as writer:
        for path in parts:
            table = pq.read_table(path)
            count += table.num_rows
            writer.write_table(table)
    return count


def main(words: Sequence[str]) -> int:
    """`score FOLDER OUT.parquet scorers=NAME,... [--engine=local|ray]`: prints how many rows, returns 0."""
    paths = [w for w in words if not w.startswith("--") and "=" not in w]
    given = dict(w.lstrip("-").partition("=")[::2] for w in words if w not in paths)
    for name in given:
        if name not in ("scorers", "engine"):
            raise UnknownName(f"spectrogrand score has no option {name!r}; {nearest(name, ('scorers', 'engine'))}")
    if len(paths) != 2:
        raise ConfigError(f"which folder into which file? {USAGE}")
    count = score(
        paths[0], paths[1], [s for s in given.get("scorers", "").split(",") if s], engine=given.get("engine", "local")
    )
    sys.stdout.write(f"{paths[1]}: {count} rows\n")
    return 0
