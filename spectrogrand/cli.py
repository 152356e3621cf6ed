"""The short commands of the command line; each takes its words and returns an exit code."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from .errors import ConfigError, UnknownName, nearest


def run(words: list[str]) -> int:
    """`run`: one run, or a sweep; SIGTERM stops it as Ctrl-C does."""
    import signal

    from .config import run_hydra

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop) if threading.current_thread() is threading.main_thread() else None
    try:
        return run_hydra(words, _job)
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _job(config: dict[str, object]) -> int:
    """One run: prints the report's path."""
    from .pipelines.execute import execute

    report = execute(config)
    print(report)
    return 0


def list_plugins(words: list[str]) -> int:
    """`list [KIND...] [--json]`: every plug-in and whether it is ready here."""
    from .interfaces import KINDS
    from .runs.listing import rows

    kinds = [w for w in words if not w.startswith("-")]
    for word in words:
        if word not in KINDS and word != "--json":
            raise UnknownName(
                f"spectrogrand list takes kinds of plug-in and --json, not {word!r}; {nearest(word, [*KINDS, '--json'])}"
            )
    found = rows(kinds or None)
    if "--json" in words:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("kind", "name", "what it is", "licence", "here", box=None, header_style="bold")
    for row in found:
        table.add_row(row["kind"], row["name"], row["summary"], row["licence"], row["state"])
    Console(width=None if sys.stdout.isatty() else 220).print(table)
    return 0


def table(words: list[str]) -> int:
    """`table RUNS... [--csv]`: a sweep of runs, or of trainings, as one table."""
    from .report.table import as_csv, as_markdown
    from .report.table import table as tabulate

    folders = [Path(w) for w in words if not w.startswith("--")]
    options = [w for w in words if w.startswith("--")]
    for option in options:
        if option not in ("--csv", "--markdown"):
            raise UnknownName(
                f"spectrogrand table has no option {option!r}; {nearest(option, ['--csv', '--markdown'])}"
            )
    if not folders:
        raise ConfigError("which runs? give one or more folders: spectrogrand table outputs")
    for folder in folders:
        if not folder.exists():
            raise ConfigError(f"no folder {folder}: give the output folder of a run or a sweep")
    found = tabulate(folders)
    if not found.rows:  # a folder of trainings holds no runs
        from .report.trainings import training_table

        found = training_table(folders)
    print(as_csv(found) if "--csv" in options else as_markdown(found))
    return 0


def convert(words: list[str]) -> int:
    """`convert FILE OUT.safetensors`: a published checkpoint, read without running anything in it."""
    from .weights.convert import convert as convert_file

    if len(words) != 2 or any(w.startswith("-") for w in words):
        raise ConfigError("say which file becomes which: spectrogrand convert checkpoint.pth weights.safetensors")
    print(convert_file(*words))
    return 0


def reference(words: list[str]) -> int:
    """`reference FOLDER OUT.safetensors [embedder=NAME ...]`: one's own songs or pictures as a reference set."""
    from .references.make import make_reference

    given = dict(w.split("=", 1) for w in words if w.startswith(("embedder=", "embedder.")) and "=" in w)
    words = [w for w in words if w.partition("=")[0] not in given]
    if len(words) != 2 or any(w.startswith("-") for w in words):
        raise ConfigError("say which folder becomes which file: spectrogrand reference my_songs mine.safetensors")
    part = {k.partition(".")[2]: v for k, v in given.items() if "." in k}
    part["name"] = given.get("embedder", "timbre_rhythm")
    print(f"{words[1]}: {make_reference(*words, embedder=part)} songs or pictures")
    return 0


def why(words: list[str]) -> int:
    """`why RUN...`: each candidate of a run, its scores, what failed it, and the winner's lead against the noise."""
    from .report.why import explain

    if not words or any(w.startswith("-") for w in words):
        raise ConfigError("which run? give the folder of a run: spectrogrand why outputs/RUN")
    print("\n\n".join(explain(word) for word in words))
    return 0
