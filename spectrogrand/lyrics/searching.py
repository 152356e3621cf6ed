"""An index folder, opened: the lines nearest to a vector, exactly or, beyond 200,000 lines, through the nearest clusters."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidValue, StoreError, require
from ..interfaces import Embedder
from . import arrays
from .building import VERSION, identity
from .clusters import BLOCK
from .soundness import arrow_errors, damaged, read_about

PROBES = 32
"""Clusters that an approximate search reads; more of them find more and take longer."""
SHORTLIST = 4
"""How many times the wanted count is rated again by the float16 vectors after the one-byte copy has chosen."""


class Index:
    """What `build_index` made; vectors stay on disk and are mapped.

    Args:
        folder: the index.
        probes: clusters read by the approximate search.

    Raises:
        StoreError: no finished index there, or one of another version.
        InvalidValue: one of its files is torn or does not fit the others.
    """

    def __init__(self, folder: Path, probes: int = PROBES) -> None:
        self.folder, self.probes = Path(folder).expanduser(), probes
        try:
            self.about: dict[str, Any] = read_about(self.folder)
        except OSError as error:
            what = "a half-built index" if (self.folder / ".building").exists() else "no index of lyrics"
            raise StoreError(f"{self.folder} holds {what}: spectrogrand index LYRICS.csv {self.folder}") from error
        if self.about.get("version") != VERSION:
            raise StoreError(
                f"{self.folder} is an index of version {self.about.get('version')!r}, this is version {VERSION}: build it again"
            )
        if wrong := damaged(self.folder, self.about):
            raise InvalidValue(f"{self.folder} is damaged ({wrong}): delete the folder and build the index again")
        self.vectors = arrays.mapped(self.folder / "vectors.safetensors")["vectors"]
        self.clusters = arrays.mapped(self.folder / "clusters.safetensors")
        wanted = (self.about["lines"], self.about["embedder"]["dimension"])
        if self.vectors.shape != wanted or len(self.clusters["labels"]) != wanted[0]:
            raise InvalidValue(
                f"{self.folder} holds {self.vectors.shape} vectors, its index.json says {wanted}: build it again"
            )

    def agree(self, embedder: Embedder) -> None:
        """Check that queries by `embedder` may be compared with these lines.

        Raises:
            InvalidValue: another model made the index; names and dimensions of both are in the message.
        """
        mine = self.about["embedder"]
        theirs = identity(embedder, int(embedder.embed(["a"]).shape[1]))
        if mine != theirs:
            told = "with other weights " if mine["name"] == theirs["name"] else ""
            raise InvalidValue(
                f"{self.folder} was built by {mine['name']} {told}({mine['dimension']} axes), the query is by {theirs['name']} "
                f"({theirs['dimension']} axes): choose that model with embedder=, or build the index again"
            )

    def nearest(
        self, query: np.ndarray, count: int, songs: np.ndarray | None = None, exact: bool | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The lines with the largest cosine, largest first (of equal ones the earlier line).

        Args:
            query: unit vector, shape=(axis,).
            songs: bool, shape=(song,), which songs may be found; None for all.
            exact: compare every line; None does so up to the size that the index was built for.

        Returns:
            Line numbers, int64, and cosines, float32, both shape=(found,), found <= count.
        """
        query = np.asarray(query, np.float32)
        allowed = None if songs is None else np.repeat(songs, self.songs["lines"])
        if exact is None:
            few = allowed is not None and np.count_nonzero(allowed) <= self.about["exact"]
            exact = "codes" not in self.clusters or few
        if exact:
            rows = np.arange(len(self.vectors)) if allowed is None else np.flatnonzero(allowed)
            return self._best(rows, query, count, whole=allowed is None)
        return self._best(self._shortlist(query, SHORTLIST * count, allowed), query, count)

    def cosines(self, rows: np.ndarray | slice, query: np.ndarray) -> np.ndarray:
        """Cosines of some lines with a unit vector, float32."""
        return np.asarray(np.asarray(self.vectors[rows], np.float32) @ query, np.float32)

    def _best(
        self, rows: np.ndarray, query: np.ndarray, count: int, whole: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        scores = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), BLOCK):
            part = slice(start, min(start + BLOCK, len(rows)))
            scores[part] = self.cosines(part if whole else rows[part], query)
        order = np.lexsort((rows, -scores))[:count] if len(rows) <= 4 * count else _top(rows, scores, count)
        return rows[order].astype(np.int64), scores[order]

    def _shortlist(self, query: np.ndarray, count: int, allowed: np.ndarray | None) -> np.ndarray:
        """Lines of the nearest clusters that the one-byte copy puts first, in ascending order."""
        held = self.clusters
        near = held["centroids"] @ query
        probes = np.sort(np.argpartition(-near, min(self.probes, len(near)) - 1)[: self.probes])
        spans = [(int(held["starts"][c]), int(held["starts"][c + 1])) for c in probes]
        largest = np.abs(query).max()
        coded = np.rint(query / largest * 127).astype(np.int8)[None]
        scores = np.concatenate([_products(held["codes"][a:b], coded) for a, b in spans])
        lines = np.concatenate([held["lines"][a:b] for a, b in spans])
        if allowed is not None:
            scores, lines = scores[allowed[lines]], lines[allowed[lines]]
        if len(lines) > count:
            lines = lines[np.argpartition(-scores, count - 1)[:count]]
        return np.sort(lines)

    @cached_property
    def songs(self) -> dict[str, np.ndarray]:
        """The songs by column: id, title, artist, place (text), features (float32, NaN where unknown), first line and lines."""
        import pyarrow.parquet as pq

        require("pyarrow", "search", "an index of lyrics")
        with arrow_errors(self.folder / "songs.parquet"):
            rows = pq.read_table(self.folder / "songs.parquet")
            found = {name: rows[name].to_numpy(zero_copy_only=False) for name in rows.column_names}
        found["first"] = np.concatenate([[0], np.cumsum(found["lines"].astype(np.int64))])[:-1]
        if len(found["lines"]) != self.about["songs"] or found["lines"].sum() != self.about["lines"]:
            raise InvalidValue(f"{self.folder}/songs.parquet does not fit its index.json: build the index again")
        return found

    def song_of(self, lines: np.ndarray) -> np.ndarray:
        """The song of each line, int64."""
        return np.asarray(np.searchsorted(self.songs["first"], lines, side="right") - 1, np.int64)

    def texts(self, lines: np.ndarray) -> list[str]:
        """The words of some lines, in the order given; only their row groups are read."""
        import pyarrow.parquet as pq

        with arrow_errors(self.folder / "lines.parquet"):
            file = pq.ParquetFile(self.folder / "lines.parquet")
            ends = np.cumsum([file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)])
            group = np.searchsorted(ends, lines, side="right")
            found: dict[int, str] = {}
            for g in np.unique(group):
                words = file.read_row_group(int(g))["text"]
                before = int(ends[g - 1]) if g else 0
                found |= {int(n): words[int(n) - before].as_py() for n in np.asarray(lines)[group == g]}
            return [found[int(n)] for n in lines]

    @cached_property
    def background(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean vector and covariance of (up to 65,536) lines, float64: what any query's cosines are spread like."""
        rows = np.sort(np.random.default_rng(0).permutation(len(self.vectors))[:65_536])
        some = np.asarray(self.vectors[rows], np.float64)
        mean = some.mean(axis=0)
        return mean, (some - mean).T @ (some - mean) / len(some)


def _top(rows: np.ndarray, scores: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` best, with all of equal score at the edge considered, so that the answer is one."""
    edge = -np.partition(-scores, count - 1)[count - 1]
    kept = np.flatnonzero(scores >= edge)
    return kept[np.lexsort((rows[kept], -scores[kept]))[:count]]


def _products(codes: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Dot products of one-byte vectors, shape=(line,): by usearch's kernels where they are installed, else by numpy."""
    try:
        import numkong
    except ImportError:
        return np.asarray(codes.astype(np.float32) @ query[0].astype(np.float32))
    return np.asarray(numkong.cdist(query, np.ascontiguousarray(codes), "dot"))[0]
