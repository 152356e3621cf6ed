"""spectrogrand: a topic or a song becomes music, covers and videos, chosen by measured creativity.

Make something:
    spectrogrand run "a cat in the rain"                      song, cover, videos and a page, into outputs/
    spectrogrand run "a cat in the rain" shape=9:16 --open    upright, for Reels; the video opens when it is there
    spectrogrand run song.path=track.mp3                      a video for your own song
    spectrogrand run song.path=track.mp3 cover.path=art.png   with your own picture
    spectrogrand again outputs/RUN song=2 [keep=song,cover]   once more, with the song, cover or setting that you choose
    spectrogrand app [port=7860] [index=FOLDER]               all of it on a page in your browser

Study it:
    spectrogrand run -m topics=topics.txt stylizer=a,b seed=0,1,2
    spectrogrand run songs_from=FOLDER|LIST
    spectrogrand run -m seed=0,1,2 hydra/launcher=joblib
    spectrogrand resume SWEEP
    spectrogrand list [KIND...|NAME] [--json]
    spectrogrand table RUNS... [--by stylizer] [--csv|--latex|--parquet=FILE|--html]
    spectrogrand evaluate PATHS... [--csv|--json]
    spectrogrand evaluate FOLDER --against=REFERENCE
    spectrogrand score FOLDER OUT.parquet scorers=NAME,... [--engine=ray]
    spectrogrand why RUN...

Prepare:
    spectrogrand index LYRICS.csv FOLDER [setting=value ...]
    spectrogrand fetch NAME... [weights=FOLDER] | --list
    spectrogrand convert FILE OUT.safetensors
    spectrogrand reference FOLDER OUT.safetensors
    spectrogrand export RUN [COPY|COPY.zip]
    spectrogrand store verify|prune|size [OUTPUT] [--older-than=30d] [--keep-runs]
    spectrogrand judge RUNS... [judge=NAME] [--terminal] | --agreement FILES...
    spectrogrand prepare WHAT ...

Topics and paths are taken as they are typed: commas, quotes, `=`, `${` and parentheses mean themselves.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from .errors import ConfigError, SpectrograndError, UnknownName, nearest

COMMANDS = {
    "run": "cli:run",
    "again": "cli:again",
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
    "export": "runs.sharing:main",
    "store": "runs.keeping:main",
    "judge": "report.judge:main",
    "prepare": "preparing:main",
}
"""Where each command lives: a module of this package and its function `(words) -> exit code`, imported when it is called."""
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    if argv is not None:
        return _command(list(argv))
    if (
        sys.getfilesystemencoding() in ("ascii", "latin-1") and not sys.flags.utf8_mode
    ):  # the C locale, and no way round it
        os.execv(sys.executable, [sys.executable, "-X", "utf8", "-m", "spectrogrand", *sys.argv[1:]])
    for stream in (sys.stdout, sys.stderr):  # a file's name may hold bytes that are no text
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return _flushed(_command(sys.argv[1:]))


def _command(words: list[str]) -> int:
    try:
        if not words or words[0] in ("-h", "--help", "help"):
            print((__doc__ or "") + "\n`spectrogrand run --help` shows every slot and its choices.")
            return 0 if words else 2
        if words[0] == "--version":
            from . import __version__

            print(__version__)
            return 0
        command, rest = words[0], words[1:]
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
    except OSError as error:
        told = _of_this_place(error)
        if told is None:
            raise
        print(f"spectrogrand: {told}", file=sys.stderr)
        return 1


def _of_this_place(error: OSError) -> str | None:
    """What is wrong with where a command runs or where its words go, in one line; None where it is something else."""
    if error.errno == errno.ENOENT:
        try:
            os.getcwd()
        except FileNotFoundError:
            return "the folder that you are in was deleted: cd to another one and run again"
    if error.filename is None and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG):
        return f"what was to be said here cannot be written ({os.strerror(error.errno).lower()}): send it elsewhere"
    return None


def _flushed(code: int) -> int:
    """The exit code, once all that was said has gone out; where it cannot, nothing more is tried at exit."""
    try:
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            print(f"spectrogrand: {_of_this_place(error) or error.strerror}", file=sys.stderr)
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code or 1
    return code


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
