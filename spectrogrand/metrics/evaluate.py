"""`spectrogrand evaluate`: any video, run or folder of runs as rows of measures, each beside chance and with its interval."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, InvalidValue, MediaError, UnknownName, nearest
from ..media import VIDEOS

OPTIONS = ("--csv", "--json", "--markdown")
MEASURES = ("consistency", "beat_f1", "beat_precision", "beat_recall", "av_align", "lag", "beat_f1_aligned")
JUDGES = ("listener", "own")
EVALUATION = "evaluation.json"
"""What the command leaves beside a run's run.json, for `spectrogrand table`."""
USAGE = "give videos, runs or folders of runs: spectrogrand evaluate outputs"
Row = dict[str, Any]


def videos(path: str | Path) -> list[Path]:
    """The videos that a path names: itself, or all below a folder but those in a store, sorted by name.

    Raises:
        ConfigError: there is nothing, or no video in the folder.
    """
    found = Path(path).expanduser()
    if not found.exists():
        raise ConfigError(f"nothing at {str(path)!r}: {USAGE}")
    if not found.is_dir():
        return [found]
    below = (f for f in found.rglob("*") if f.suffix.lower() in VIDEOS and f.is_file())
    files = sorted(f for f in below if ".store" not in f.relative_to(found).parts)
    if not files:
        raise ConfigError(f"no video in the folder {str(path)!r}: {USAGE}")
    return files


def evaluate(
    path: str | Path, *, seed: int = 0, draws: int = 200, beats: str | Path = "listener",
    tick: Callable[[int, int], None] | None = None,
) -> list[Row]:  # fmt: skip
    """Measure a video, the videos of a run folder, or all videos of a folder of runs.

    The streams' start times count: a picture that is shown 200 ms late reads as a lag of +200 ms.

    Args:
        seed, draws: of chance (`spectrogrand.metrics.synchrony.measure`).
        beats: who says where the beats are: "listener" (librosa's tracker, which no generator here draws by), "own" (the
            analysis that they do draw by), or a text file of an annotation, one beat a line in seconds of the sound's time.

    Returns:
        One row a video: run (the folder's name), video, seconds, fps, rows, columns, tempo and number of beats, `beats_by` (who
        said so) and `beats_agree` (F1 of these beats and the own analysis'), then for each of consistency, beat_f1,
        beat_precision, beat_recall, av_align (0 to 1), lag (seconds, positive where the picture is late) and beat_f1_aligned
        (beat_f1 without the lag) its value and `_low`, `_high`, `_shifted`, `_shuffled`, `_p_shifted`, `_p_shuffled`
        (see `spectrogrand.metrics.nulls.Measure`), and edge_ssim where a cover.png lies beside the video
        (`spectrogrand.metrics.edges`). What is not defined, such as the lag of a picture that never changes,
        is None. In a folder of several videos one that cannot be read has an `error` in place of measures.

    Raises:
        ConfigError: nothing there, or no video in the folder.
        MediaError: a video that was named alone cannot be read, has no sound or no pictures, or none in a folder can.
        InvalidValue: draws below 1, or an annotation that is no list of rising seconds.

    >>> evaluate("no such folder")
    Traceback (most recent call last):
    spectrogrand.errors.ConfigError: nothing at 'no such folder': give videos, ...
    """
    files, rows = videos(path), []
    failed: MediaError | None = None
    for file in files:
        row: Row = {"run": file.resolve().parent.name, "video": file.name}
        try:
            rows.append({**row, **_measured(file, seed, draws, beats, tick), "edge_ssim": _edges_kept(file)})
        except MediaError as error:
            failed = error
            rows.append({**row, "error": " ".join(str(error).split())})
    if failed is not None and all("error" in row for row in rows):
        raise failed
    return rows


def _measured(file: Path, seed: int, draws: int, beats: str | Path, tick: Callable[[int, int], None] | None) -> Row:
    from ..audio.features import analyse
    from ..media import load_audio, load_video, sound_offset
    from ..types import Audio
    from .synchrony import beat_hits, listened, measure

    frames, audio = load_video(file), load_audio(file)
    early = sound_offset(file)  # both clocks begin with the pictures
    if 0 < (cut := round(early * audio.rate)) < audio.samples.shape[1]:
        audio = Audio(audio.samples[:, cut:], audio.rate)
    song = analyse(audio)
    if beats == "own":
        heard, judge = song.beats, "own analysis"
    elif beats == "listener":
        import librosa

        heard, judge = listened(audio), f"librosa {librosa.__version__}"
    else:
        heard, judge = annotation(beats) - early, f"annotation {Path(beats).name}"
        heard = heard[heard >= 0]
    found = measure(frames, audio, seed=seed, draws=draws, heard=heard, aligned=True, tick=tick)
    row: Row = {
        "seconds": float(frames.duration), "fps": float(frames.fps), "rows": frames.size[0], "columns": frames.size[1],
        "tempo": song.tempo, "beats": len(heard), "beats_by": judge, "beats_agree": beat_hits(song.beats, heard)[0],
    }  # fmt: skip
    for name in MEASURES:
        for part, value in asdict(found[name]).items():
            row[name if part == "value" else f"{name}_{part}"] = value if math.isfinite(value) else None
    return row


def _edges_kept(file: Path) -> float | None:
    from ..media import load_image, load_video
    from .edges import edge_ssim

    cover = file.parent / "cover.png"
    return edge_ssim(load_video(file), load_image(cover)) if cover.is_file() else None


def keep(path: str | Path, rows: Sequence[Row]) -> list[Path]:
    """Leave the rows beside the run.json of each run, with each video's sha256, so that `spectrogrand table` shows them.

    Args:
        path: what was evaluated: a run, or a folder of runs.
        rows: what `evaluate(path)` gave.

    Returns:
        The files written; none for a video that is of no run.
    """
    from ..store import file_digest, write_json

    kept: dict[Path, list[Row]] = {}
    for file, row in zip(videos(path), rows, strict=True):
        if (file.parent / "run.json").is_file():
            kept.setdefault(file.parent, []).append({**row, "sha256": file_digest(file)})
    for folder, some in kept.items():
        write_json(folder / EVALUATION, some)
    return [folder / EVALUATION for folder in kept]


def annotation(path: str | Path) -> np.ndarray:
    """Beats from a text file: the first number of each line, in seconds, as annotation tools write them; `#` begins a remark.

    Raises:
        ConfigError: no such file. InvalidValue: a line without a number, or beats that do not rise.
    """
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"no annotation of beats at {str(path)!r}: give {' or '.join(JUDGES)}, or a text file"
        ) from error
    lines = [line.split("#")[0].replace(",", " ").split() for line in text.splitlines()]
    try:
        beats = np.array([float(words[0]) for words in lines if words])
    except ValueError as error:
        raise InvalidValue(f"{str(path)!r} is no list of beats ({error}): one line a beat, seconds first") from error
    if not len(beats) or not np.isfinite(beats).all() or (np.diff(beats) <= 0).any():
        raise InvalidValue(f"{str(path)!r} is no list of beats: seconds that rise from line to line, one beat a line")
    return beats


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """All columns, one line a video; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    rows = list(rows)
    columns = list(dict.fromkeys(c for row in rows for c in row))
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(columns)
    for row in rows:
        write([_safe(row.get(c)) for c in columns])
    return out.getvalue()


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """A list of objects."""
    return json.dumps(list(rows), indent=1, ensure_ascii=False)


def as_markdown(rows: Iterable[Mapping[str, Any]]) -> str:
    """A table to read: value, 95 % interval, and what the same sound cut up and shuffled scores; lag in
    milliseconds where it beats 95 % of that.
    """
    shown = ("consistency", "beat_f1", "av_align")
    head = ["run", "video", "fps", "tempo", *(f"{n} (95 %) / chance" for n in shown), "lag in ms (95 %)"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        names = [_cell(row.get("run")), _cell(row.get("video"))]
        if "error" in row:
            lines.append([*names, _cell(row["error"]), *[""] * (len(head) - 3)])
            continue
        scores = [f"{_short(row[n])}{_interval(row, n)} / {_short(row[n + '_shuffled'])}" for n in shown]
        lines.append([*names, f"{row['fps']:.4g}", f"{row['tempo']:.0f}", *scores, _lag(row)])
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def main(words: Sequence[str]) -> int:
    """`evaluate PATH... [--csv|--json|--markdown] [--beats=listener|own|FILE]`: prints the rows of all paths, returns 0.

    Those of a run are left in it as evaluation.json, too. `evaluate FOLDER --against=REFERENCE [--embedder=NAME] [--pictures]`
    measures a set of songs or pictures against another, `evaluate FOLDER --set` alone (see `spectrogrand.metrics.sets`).

    Raises:
        UnknownName: an option that does not exist.
        ConfigError: no path, or nothing there.
        MediaError: a video that cannot be read.
    """
    from ..progress import bar

    paths = [w for w in words if not w.startswith("--")]
    options = [w for w in words if w.startswith("--")]
    if any(o.partition("=")[0] in ("--against", "--embedder", "--pictures", "--set") for o in options):
        return _sets(paths, options)
    beats = next((o.partition("=")[2] for o in options if o.startswith("--beats=")), "listener")
    options = [o for o in options if not o.startswith("--beats=")]
    if beats not in JUDGES:
        annotation(beats)
    for option in options:
        if option not in OPTIONS:
            raise UnknownName(f"spectrogrand evaluate has no option {option!r}; {nearest(option, OPTIONS)}")
    if not paths:
        raise ConfigError(f"which videos? {USAGE}")
    for path in paths:  # what is not there is said before the first video is read
        videos(path)
    rows: list[Row] = []
    for path in paths:
        with bar(f"watching {Path(path).name}") as tick:
            found = evaluate(path, beats=beats, tick=tick)
        if Path(path).is_dir():
            keep(path, found)
        rows += found
    write = {"--csv": as_csv, "--json": as_json, "--markdown": as_markdown}
    text = write[options[-1] if options else "--markdown"](rows)
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    return 0


def _sets(paths: Sequence[str], options: Sequence[str]) -> int:
    from ..progress import bar
    from . import sets

    known = ("--against=", "--embedder=", "--pictures", "--set", "--csv", "--json", "--markdown")
    given = dict(o.partition("=")[::2] for o in options)
    for name in given:
        if name not in known and f"{name}=" not in known:
            raise UnknownName(f"spectrogrand evaluate has no option {name!r} for a set; {nearest(name, known)}")
    if len(paths) != 1:
        raise ConfigError("which set? give one folder: spectrogrand evaluate FOLDER --against=REFERENCE")
    with bar("embedding") as tick:
        rows = sets.compare_sets(
            paths[0],
            given.get("--against"),
            embedder=given.get("--embedder"),
            pictures="--pictures" in given,
            tick=tick,
        )
    write = as_json if "--json" in given else as_csv if "--csv" in given else sets.as_markdown
    text = write(rows)
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    return 0


def _lag(row: Mapping[str, Any]) -> str:
    """Milliseconds with their interval, or why there are none."""
    if row["lag"] is None:
        return "none"
    if row["lag_p_shuffled"] >= 0.05:
        return "none beyond chance"
    ends = (row["lag_low"], row["lag_high"])
    return f"{1000 * row['lag']:+.0f}" + ("" if None in ends else f" ({1000 * ends[0]:+.0f} to {1000 * ends[1]:+.0f})")


def _interval(row: Mapping[str, Any], name: str) -> str:
    ends = row[name + "_low"], row[name + "_high"]
    return "" if None in ends else f" ({ends[0]:.2f} to {ends[1]:.2f})"


def _short(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"


def _cell(value: object) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return "".join("\\" + c if c in "|`*[]\\" else c for c in text.replace("<", "&lt;"))


def _safe(value: object) -> object:
    if isinstance(value, str):
        text = " ".join("".join(c if c.isprintable() else " " for c in value).split())
        return "'" + text if text.startswith(("=", "+", "-", "@")) else text
    return value
