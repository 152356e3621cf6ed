"""The front door in Python: run a pipeline with plain values, and read what a run made."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .. import media
from ..config import compose
from ..errors import ConfigError
from ..interfaces import Component
from ..report.record import load_record
from ..types import Audio, Frames, Image
from .execute import execute


class Result:
    """What a run made, read from its folder when it is asked for.

    Args:
        folder: of the run.

    Raises:
        StoreError: the folder holds no run.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.record = load_record(self.folder)
        """The content of run.json."""

    @property
    def song(self) -> Audio | None:
        """The chosen song, or None where the run made none."""
        path = self.folder / "song.wav"
        return media.load_audio(path) if path.is_file() else None

    @property
    def cover(self) -> Image | None:
        """The chosen cover, or the picture that stands for the run; None where there is none."""
        path = self.folder / "cover.png"
        return media.load_image(path) if path.is_file() else None

    @property
    def videos(self) -> dict[str, Path]:
        """The videos by name, as paths; `frames` reads one."""
        found = self.record.get("videos")
        return {k: self.folder / str(v) for k, v in found.items() if v} if isinstance(found, Mapping) else {}

    @property
    def report(self) -> Path:
        """The page of the run."""
        return self.folder / "report.html"

    def frames(self, name: str) -> Frames:
        """The pictures of a video, shape=(row, column, rgb) each.

        Args:
            name: of the video: "motion".

        Raises:
            ConfigError: the run has no such video.
        """
        if name not in self.videos:
            raise ConfigError(f"this run has no video {name!r}, only {', '.join(self.videos) or 'none at all'}")
        return media.load_video(self.videos[name])

    def candidates(self, slot: str) -> list[dict[str, Any]]:
        """A row for each candidate of a slot: index, chosen, failed, seed, total, a column for each score, and its file.

        Args:
            slot: "song", "cover".

        Raises:
            ConfigError: nothing was chosen in that slot.
        """
        choices = self.record.get("choices") or {}
        if not choices.get(slot):
            raise ConfigError(f"nothing was chosen for {slot!r}, only for {', '.join(choices) or 'nothing'}")
        chosen = choices[slot].get("chosen")
        return [
            {
                "slot": slot, "index": row.get("index"), "chosen": row.get("index") == chosen, "failed": row.get("failed"),
                "seed": row.get("seed"), "total": row.get("total"), **(row.get("scores") or {}),
                "file": str(self.folder / row["file"]) if row.get("file") else None,
            }
            for row in choices[slot].get("candidates") or () if row
        ]  # fmt: skip

    def candidate(self, slot: str, index: int) -> Any:
        """One candidate of a slot as a value: a song, a picture or a text."""
        rows = self.candidates(slot)
        if not 0 <= index < len(rows) or rows[index]["file"] is None:
            raise ConfigError(f"{slot} has no candidate {index}: 0 to {len(rows) - 1}, and a failed one has no file")
        path = Path(rows[index]["file"])
        read: Any = {".wav": media.load_audio, ".png": media.load_image}.get(path.suffix)
        return read(path) if read else path.read_text("utf-8")

    def why(self, slot: str) -> str:
        """Why the chosen candidate of a slot won, in a sentence."""
        return str(((self.record.get("choices") or {}).get(slot) or {}).get("why") or "")

    def to_pandas(self, slot: str | None = None) -> Any:
        """`candidates` of one slot, or of all, as a pandas DataFrame; pandas must be installed."""
        import pandas

        slots = [slot] if slot else list(self.record.get("choices") or {})
        return pandas.DataFrame([row for one in slots for row in self.candidates(one)])

    def __repr__(self) -> str:
        return f"Result({str(self.folder)!r}, {self.record.get('state')}: {', '.join(self.videos) or 'no video'})"

    def _repr_html_(self) -> str:
        """What a notebook shows: the cover, players, and the scores. Small videos are embedded, so that it opens anywhere."""
        return "".join(self._shown())

    def _shown(self) -> Iterator[str]:
        yield f"<h3>{escape(str(self.record.get('topic')))}</h3>"
        if (self.folder / "cover.png").is_file():
            yield f'<img width="256" alt="cover" src="{_embed(self.folder / "cover.png", "image/png")}">'
        for name, path in self.videos.items():
            if path.is_file():
                yield f'<video width="256" controls title="{escape(name)}" src="{_embed(path, "video/mp4")}"></video>'
        if not self.videos and (self.folder / "song.wav").is_file():
            yield f'<audio controls src="{_embed(self.folder / "song.wav", "audio/wav")}"></audio>'
        for slot in [k for k, v in (self.record.get("choices") or {}).items() if v]:
            rows = self.candidates(slot)
            columns = [k for k in rows[0] if k not in ("slot", "file")] if rows else []
            yield f"<p>{escape(slot)}: {escape(self.why(slot))}</p><table><tr>"
            yield "".join(f"<th>{escape(c)}</th>" for c in columns) + "</tr>"
            for row in rows:
                yield "<tr>" + "".join(f"<td>{escape(_short(row[c]))}</td>" for c in columns) + "</tr>"
            yield "</table>"


EMBEDDED = 20_000_000
"""Bytes of a file that is put into a notebook's page; a larger one is linked."""


def _embed(path: Path, kind: str) -> str:
    from base64 import b64encode

    if path.stat().st_size > EMBEDDED:
        return path.resolve().as_uri()
    return f"data:{kind};base64,{b64encode(path.read_bytes()).decode()}"


def _short(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)


def run(pipeline: str = "audiovisual", **settings: Any) -> Result:
    """Run a pipeline and read what it made.

    Args:
        pipeline: its name, as `spectrogrand run pipeline=NAME`.
        settings: anything that stands in the pipeline's config, as plain values. A slot takes a plug-in's name, a mapping of
            name and settings, or a plug-in that `build` made; scorers and gates take a list of names, or a mapping of
            name to weight.

    Raises:
        SpectrograndError: whatever stopped it; the run's folder keeps what was finished.

    >>> import tempfile
    >>> made = run(topic="the sea", songs=2, covers=1, videos=[], size=64, output=tempfile.mkdtemp(),
    ...            song={"name": "house_synth", "duration": 1.0}, gates=[])
    >>> len(made.candidates("song")), made.cover.size
    (2, (1024, 1024))
    """
    values = {name: _plain(name, value) for name, value in settings.items()}
    words = [f"pipeline={pipeline}"]
    config = compose(words, values)
    return Result(execute(config).parent)


def load_run(folder: str | os.PathLike[str]) -> Result:
    """What a run made, from its folder.

    Raises:
        StoreError: the folder holds no run.
    """
    return Result(folder)


def load_runs(folder: str | os.PathLike[str]) -> Any:
    """All finished runs in a folder and below it as a pandas DataFrame: one row a run, the columns of `spectrogrand table`.

    Args:
        folder: of a sweep, or of any runs. `folder` is a column of it, so that `load_run(row.folder)` gives a run's artefacts.

    Raises:
        ConfigError: there is no such folder. MissingExtra: pandas is not installed.
    """
    from ..report.tables.formats import to_frame
    from ..report.tables.table import table

    if not Path(folder).is_dir():
        raise ConfigError(f"no folder {os.fspath(folder)!r}: give the folder of a sweep or of runs")
    return to_frame(table([Path(folder)]))


def _plain(name: str, value: Any) -> Any:
    """A setting as a config has it."""
    if isinstance(value, Component):
        return dict(value.settings) or {"name": value.name}
    if name.endswith("_scorers") and not _is_scorers(value):
        weights = dict(value) if isinstance(value, Mapping) else dict.fromkeys(value, 1.0)
        return {k: {"scorer": _plain("", _named(k)), "weight": v} for k, v in weights.items()}
    if name == "gates" and isinstance(value, Sequence) and not isinstance(value, str):
        return {k if isinstance(k, str) else k.name: _plain("", _named(k)) for k in value}
    if isinstance(value, Mapping):
        return {str(k): _plain("", v) for k, v in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return [_plain("", v) for v in value] if isinstance(value, list | tuple) else value


def _is_scorers(value: Any) -> bool:
    """Whether scorers are given as a config has them, each with its own mapping."""
    return isinstance(value, Mapping) and all(v is None or isinstance(v, Mapping) for v in value.values())


def _named(part: Any) -> Any:
    return {"name": part} if isinstance(part, str) else part


__all__ = ["Result", "load_run", "load_runs", "run"]
