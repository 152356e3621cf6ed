"""What a run's files say of themselves: how they were asked for."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

PRIVATE = ("output", "store", "weights", "job", "index")
"""Settings that say where somebody works and nothing of what was made."""


def write_command(words: Sequence[str]) -> str:
    """The command that a run was asked for by, as others may read it: folders of this machine are left out.

    >>> write_command(["topic=it's raining", "song=file", "song.path=/home/me/track.mp3", "output=/tmp/x"])
    'spectrogrand run "topic=it\\'s raining" song=file song.path=track.mp3'
    """
    kept = []
    for word in words:
        key, equals, value = word.lstrip("+").partition("=")
        if equals and key in PRIVATE:
            continue
        if equals and os.sep in value and (key.endswith("path") or value.startswith((os.sep, "~", "."))):
            word = f"{key}={os.path.basename(value)}"
        kept.append(word)
    return " ".join(["spectrogrand run", *(_quoted(w) for w in kept)]) if kept else ""


def _quoted(word: str) -> str:
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)
