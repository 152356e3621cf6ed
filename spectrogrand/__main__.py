"""The command line: a list of commands; Hydra itself is kept in configuring.py.

    spectrogrand run topic="a futuristic spaceship"
    spectrogrand run song=file song.path=track.mp3
    spectrogrand run -m topics=topics.txt stylizer=a,b seed=0,1,2
    spectrogrand run -m seed=0,1,2 hydra/launcher=joblib
    spectrogrand resume SWEEP
    spectrogrand list [--json]
    spectrogrand table RUNS... [--by stylizer] [--csv|--latex|--parquet=FILE|--html]
    spectrogrand evaluate PATHS... [--csv|--json]
    spectrogrand evaluate FOLDER --against=REFERENCE
    spectrogrand score FOLDER OUT.parquet scorers=NAME,... [--engine=ray]
    spectrogrand app [port=7860] [index=FOLDER] [setting=value ...]
    spectrogrand index LYRICS.csv FOLDER [setting=value ...]
    spectrogrand fetch NAME... [weights=FOLDER] | --list
    spectrogrand convert FILE OUT.safetensors
    spectrogrand reference FOLDER OUT.safetensors
    spectrogrand why RUN...
    spectrogrand prepare WHAT ...

Topics and paths are taken as they are typed: commas, quotes, `=`, `${` and parentheses mean themselves.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from .errors import ConfigError, SpectrograndError, UnknownName, nearest

COMMANDS = {
    "run": "cli:run",
    "resume": "cli:resume",
    "list": "cli:list_plugins",
    "table": "cli:table",
    "evaluate": "metrics.evaluate:main",
    "score": "scale.score:main",
    "app": "app.command:main",
    "index": "lyrics.command:main",
    "fetch": "weights.fetch:main",
    "convert": "cli:convert",
    "reference": "cli:reference",
    "why": "cli:why",
    "prepare": "preparing:main",
}
"""Where each command lives: a module of this package and its function `(words) -> exit code`, imported when it is called."""
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
        module, _, function = COMMANDS[command].partition(":")
        code: int = getattr(importlib.import_module(f"spectrogrand.{module}"), function)(rest)
        return code
    except SpectrograndError as error:
        print(f"spectrogrand: {_line(error)}", file=sys.stderr)
        return 2 if isinstance(error, (UnknownName, ConfigError)) else 1
    except KeyboardInterrupt:
        print("spectrogrand: interrupted; the same command goes on from the finished steps", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return 1


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
