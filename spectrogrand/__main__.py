"""The command line: a list of commands; Hydra itself is kept in configuring.py.

    spectrogrand run topic="a futuristic spaceship"
    spectrogrand run song=file song.path=track.mp3
    spectrogrand run -m topics=topics.txt stylizer=a,b seed=0,1,2
    spectrogrand list [--json]
    spectrogrand table RUNS... [--csv]
    spectrogrand evaluate PATHS... [--csv|--json]
    spectrogrand convert FILE OUT.safetensors
    spectrogrand reference FOLDER OUT.safetensors

Topics and paths are taken as they are typed: commas, quotes, `=`, `${` and parentheses mean themselves.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from .errors import ConfigError, SpectrograndError, UnknownName, nearest

COMMANDS = ("run", "list", "table", "evaluate", "convert", "reference")
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print((__doc__ or "") + "\n`spectrogrand run --help` shows every slot and its choices.")
        return 0 if words else 2
    if words[0] == "--version":
        from . import __version__

        print(__version__)
        return 0
    command, rest = words[0], words[1:]
    try:
        if command not in COMMANDS:
            raise UnknownName(f"no command {command!r}; {nearest(command, COMMANDS)}")
        run = {
            "run": _run, "list": _list, "table": _table, "evaluate": _evaluate, "convert": _convert, "reference": _reference,
        }  # fmt: skip
        return run[command](rest)
    except SpectrograndError as error:
        print(f"spectrogrand: {_line(error)}", file=sys.stderr)
        return 2 if isinstance(error, (UnknownName, ConfigError)) else 1
    except KeyboardInterrupt:
        print("spectrogrand: interrupted; the same command goes on from the finished steps", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return 1


def _run(words: list[str]) -> int:
    import signal

    from .configuring import run_hydra

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
    from .pipelines import execute

    report = execute(config)
    print(report)
    return 0


def _list(words: list[str]) -> int:
    from .interfaces import KINDS
    from .listing import rows

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


def _table(words: list[str]) -> int:
    from .table import as_csv, as_markdown, table

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
    found = table(folders)
    print(as_csv(found) if "--csv" in options else as_markdown(found))
    return 0


def _evaluate(words: list[str]) -> int:
    from .evaluate import main as evaluate

    return evaluate(words)


def _convert(words: list[str]) -> int:
    from .convert import convert

    if len(words) != 2 or any(w.startswith("-") for w in words):
        raise ConfigError("say which file becomes which: spectrogrand convert checkpoint.pth weights.safetensors")
    print(convert(*words))
    return 0


def _reference(words: list[str]) -> int:
    from .own_reference import make_reference

    if len(words) != 2 or any(w.startswith("-") for w in words):
        raise ConfigError("say which folder becomes which file: spectrogrand reference my_songs mine.safetensors")
    print(f"{words[1]}: {make_reference(*words)} songs or pictures")
    return 0


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
