"""Titles: what a song's own title says that it is about, without the mix, the guests and the names of files."""

from __future__ import annotations

import re

_BRACKETS = re.compile(r"[(\[{][^)\]}]*[)\]}]")
_GUESTS = re.compile(r"\s+(?:feat\.?|ft\.?|featuring|prod\.?(?: by)?|w/)\s.*$", re.I)
_TAIL = re.compile(
    r"\s+[-\u2013\u2014]\s+(?:[\w' ]+ )?(?:re)?(?:mix|edit|version|master(?:ed)?|live|demo|dub|bootleg)(?:\s.*)?$", re.I
)
_FILE_WORDS = frozenset(
    "track audio untitled unknown title final mix mixed mixdown mixdowns master mastered mastering bounce bounced export "
    "exported demo draft rough new copy edit version ver take rec recording song project session stereo wav mp3 flac aiff aif "
    "m4a ogg instrumental preview test file output rendered render titel spur piste pista".split()
)


def about_title(title: str) -> str:
    """What a title names, "" where it is only the name of a file or of a mix.

    >>> about_title("Rain over Tokyo (Original Mix) feat. The Cats"), about_title("Night Train - 2019 Remastered Version")
    ('Rain over Tokyo', 'Night Train')
    >>> about_title("final_mix_v3"), about_title("01 Track 7.wav"), about_title("")
    ('', '', '')
    """
    kept = _TAIL.sub("", _GUESTS.sub("", _BRACKETS.sub(" ", title)))
    kept = " ".join(kept.replace("_", " ").split()).strip(" -\u2013\u2014")
    words = [w for w in re.split(r"[\W_]+", kept.lower()) if w]
    named = [w for w in words if w not in _FILE_WORDS and not re.fullmatch(r"(?:v|ver|take|mix)?\d+\w?", w)]
    return kept if named else ""


def about(title: str, feeling: tuple[str, ...]) -> str:
    """What a song's cover is about: what its title names, else how it sounds, never what its file is called.

    >>> about("final_mix_v3", ("calm", "serene"))
    'calm, serene'
    """
    return about_title(title) or ", ".join(feeling)
