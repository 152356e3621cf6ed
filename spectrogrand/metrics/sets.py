"""`spectrogrand evaluate FOLDER --against REFERENCE`: songs or pictures beside others, each figure with its encoder."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import registry
from ..errors import ConfigError, InvalidValue, MediaError
from ..media import PICTURES, SOUNDS, load_audio, load_image
from ..types import Audio, Image
from . import distributions

DEFAULTS = {Audio: "timbre_rhythm", Image: "efficientnet_lite0"}
"""Offline encoders; the figures of two encoders are never comparable, so that each row names its own."""
METRICS = ("frechet", "frechet_infinite", "kid", "precision", "recall", "density", "coverage", "vendi")
Row = dict[str, Any]


def read_set(folder: str | Path) -> list[Path]:
    """The sounds, or else the pictures, of a folder and below it, candidates and stores left out, sorted by path.

    Raises:
        ConfigError: there is no folder, or nothing in it.
    """
    home = Path(folder).expanduser()
    if not home.is_dir():
        raise ConfigError(f"no folder {str(folder)!r}: a set is a folder of sounds or of pictures")
    files = [
        f
        for f in sorted(home.rglob("*"))
        if f.is_file() and not any(p.startswith(".") for p in f.relative_to(home).parts)
    ]
    if runs := {f.parent for f in files if f.name == "run.json"}:
        files = [f for f in files if f.parent in runs and f.name in ("song.wav", "cover.png")]
    sounds = [f for f in files if f.suffix.lower() in SOUNDS]
    found = sounds or [f for f in files if f.suffix.lower() in PICTURES]
    if not found:
        raise ConfigError(f"no sounds and no pictures in {str(folder)!r}")
    return found


def compare_sets(
    folder: str | Path, against: str | Path | None = None, *, embedder: str | None = None, pictures: bool = False,
    tick: Callable[[int, int], None] | None = None,
) -> list[Row]:  # fmt: skip
    """Every measure of a set that its size allows, and against a reference set where one is given.

    Args:
        folder: of the set.
        against: of the reference set.
        embedder: the encoder; None: `timbre_rhythm` for sounds, `efficientnet_lite0` for pictures.
        pictures: measure covers where a folder of runs has both.
        tick: called as tick(done, total).

    Returns:
        One row a measure: metric, value (None where it is refused), note (why), encoder, items, reference (its items).

    Raises:
        ConfigError: nothing to measure, sounds against pictures, or an encoder of something else.

    >>> compare_sets("no such folder")
    Traceback (most recent call last):
    spectrogrand.errors.ConfigError: no folder 'no such folder': a set is a folder of sounds or of pictures
    """
    files = _kind(read_set(folder), pictures)
    others = _kind(read_set(against), pictures) if against is not None else []
    kind = Audio if files[0].suffix.lower() in SOUNDS else Image
    if others and (others[0].suffix.lower() in SOUNDS) is not (kind is Audio):
        raise ConfigError("one of the sets is of sounds, the other of pictures: give two of a kind")
    part = registry.build("embedders", embedder or DEFAULTS[kind])
    if part.artefact is not kind:
        raise ConfigError(f"{part.name} embeds {part.artefact.__name__}, the set is of {kind.__name__}")
    vectors, lost = _embed(part, kind, files, tick)
    reference, lost_too = _embed(part, kind, others, tick) if others else (None, 0)
    part.close()
    base = {"encoder": part.name, "items": len(vectors), "reference": 0 if reference is None else len(reference)}
    said = f"{lost + lost_too} files could not be read" if lost + lost_too else ""
    rows: list[Row] = []
    wanted: dict[str, Callable[[], float]] = {"vendi": lambda: distributions.vendi(vectors)}
    if reference is not None:
        once: dict[str, float] = {}

        def share(name: str) -> Callable[[], float]:
            def get() -> float:
                if not once:
                    once.update(distributions.coverage(vectors, reference))
                return once[name]

            return get

        wanted |= {
            "frechet": lambda: distributions.frechet(vectors, reference),
            "frechet_infinite": lambda: distributions.frechet_infinite(vectors, reference),
            "kid": lambda: distributions.kid(vectors, reference),
            **{name: share(name) for name in ("precision", "recall", "density", "coverage")},
            "vendi_reference": lambda: distributions.vendi(reference),
        }
    for name, measure in wanted.items():
        try:
            value, note = measure(), said
        except InvalidValue as error:
            value, note = None, str(error)
        rows.append({"metric": name, "value": value, **base, "note": note})
    return rows


def _kind(files: Sequence[Path], pictures: bool) -> list[Path]:
    some = [f for f in files if f.suffix.lower() in PICTURES] if pictures else list(files)
    if not some:
        raise ConfigError("there are no pictures in the set: leave out --pictures")
    return some


def _embed(
    part: Any, kind: type, files: Sequence[Path], tick: Callable[[int, int], None] | None
) -> tuple[np.ndarray, int]:
    rows, lost = [], 0
    for k, file in enumerate(files):
        try:
            rows.append(part.embed([load_audio(file) if kind is Audio else load_image(file)])[0])
        except MediaError as error:
            lost += 1
            warnings.warn(f"left out: {error}", stacklevel=2)
        if tick is not None:
            tick(k + 1, len(files))
    if not rows:
        raise MediaError("none of the set's files can be read")
    return np.stack(rows).astype(np.float64), lost


def as_markdown(rows: Sequence[Row]) -> str:
    """A table; the encoder and both sizes stand in every row, because no figure means anything without them."""
    lines = [["metric", "value", "encoder", "items", "reference", "note"], ["---"] * 6]
    lines += [
        [r["metric"], "none" if r["value"] is None else f"{r['value']:.4g}", r["encoder"], str(r["items"]),
         str(r["reference"] or ""), r["note"]]
        for r in rows
    ]  # fmt: skip
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
