"""Settings as declared fields: what each may be stands where it is declared, and is checked when the object is made.

    @dataclass(frozen=True, kw_only=True)
    class Settings(Checked):
        songs: int = whole(1, 1000, default=4)
        drive: str = one_of(("percussive", "harmonic", "both"), default="both")

A plain value is checked by the function of the same rule: `check_whole("songs", 4, 1, 1000)`.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Self

from .errors import ConfigError, InvalidValue, UnknownName, nearest

_RATIONAL = re.compile(r"[-+]?(\d{1,20}/\d{1,20}|(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][-+]?\d{1,3})?)", re.ASCII)
Check = Callable[[str, Any], Any]
"""(name of the setting, its value) -> the value as it is kept, or one of our errors."""


class Checked:
    """Base of dataclasses whose fields are checked when they are made; a field may be None where its default is."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            check = field.metadata.get("check")
            value = getattr(self, field.name)
            if check is not None and not (value is None and field.default is None):
                object.__setattr__(self, field.name, check(field.name, value))

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Self:
        """The settings that a config holds under the fields' names; what else it holds is somebody else's."""
        names = {f.name for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
        return cls(**{k: v for k, v in config.items() if k in names})


def field(check: Check, default: Any = dataclasses.MISSING, **metadata: Any) -> Any:
    """A dataclass field with a check of one's own."""
    return dataclasses.field(default=default, metadata={"check": check, **metadata})


def whole(low: int, high: int, default: Any = dataclasses.MISSING) -> Any:
    """A field that holds a whole number from `low` to `high`."""
    return field(lambda name, value: check_whole(name, value, low, high), default)


def number(low: float, high: float, default: Any = dataclasses.MISSING, unit: str = "") -> Any:
    """A field that holds a finite number from `low` to `high`, in `unit`."""
    return field(lambda name, value: check_number(name, value, low, high, unit), default)


def flag(default: Any = dataclasses.MISSING) -> Any:
    """A field that holds true or false."""
    return field(check_flag, default)


def text(default: Any = dataclasses.MISSING) -> Any:
    """A field that holds text, taken from the command line as it is typed."""
    return field(check_text, default, text=True)


def texts(default: Any = dataclasses.MISSING) -> Any:
    """A field that holds one text, or a list of them written [a, b]."""
    return field(lambda name, value: value, default, text=True, listed=True)


def mapping(default: Any = dataclasses.MISSING) -> Any:
    """A field that holds a mapping of settings."""
    return field(check_mapping, default)


def one_of(known: Iterable[str], default: Any = dataclasses.MISSING, what: str = "") -> Any:
    """A field that holds one of a set of words; `what` names them in the error ("selection rule")."""
    return field(lambda name, value: check_one_of(name, value, known, what), default)


def some_of(known: Sequence[str], default: Any = dataclasses.MISSING) -> Any:
    """A field that holds some of a set of words, kept in the order of `known`; one word alone stands for a list of it."""
    return field(lambda name, value: check_some_of(name, value, known), default)


def frame_rate(default: Any = dataclasses.MISSING) -> Any:
    """A field that holds a number of frames a second, kept as a Fraction."""
    return field(check_frame_rate, default)


def check_whole(name: str, value: Any, low: int, high: int) -> int:
    """A whole number from `low` to `high`.

    >>> check_whole("songs", 4, 1, 100)
    4
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(
            f"{name} is a whole number from {low:,} to {high:,}, got {shown(value)}: set {name}={max(low, 1)}, say"
        )
    return value


def check_number(name: str, value: Any, low: float, high: float, unit: str = "") -> float:
    """A finite number from `low` to `high`.

    >>> check_number("smooth", 0.2, 0, 1)
    0.2
    """
    good = (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high
    )
    if not good:
        of = f" of {unit}" if unit else ""
        raise ConfigError(
            f"{name} is a number{of} from {low:,} to {high:,}, got {shown(value)}: set {name}={max(low, min(high, 1))}, say"
        )
    number: float = value
    return number


def check_flag(name: str, value: Any) -> bool:
    """True or false, and no word or number that stands for one."""
    if not isinstance(value, bool):
        raise ConfigError(f"{name} is true or false, got {shown(value)}")
    return value


def check_text(name: str, value: Any) -> str:
    """Text; a number that YAML made of it ("1999") is text again."""
    if isinstance(value, bool | Mapping | list | tuple):
        raise ConfigError(f"{name} is text, got {shown(value)}: write {name}=WORDS")
    return str(value)


def check_mapping(name: str, value: Any) -> Mapping[str, Any]:
    """A mapping of settings."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"nothing fills the slot {name!r}: choose one with {name}=NAME")
    return dict(value)


def check_one_of(name: str, value: Any, known: Iterable[str], what: str = "") -> str:
    """One of a set of words.

    >>> check_one_of("drive", "both", ("percussive", "both"))
    'both'
    """
    if value not in (every := tuple(known)):
        raise UnknownName(f"no {what or name} {shown(value)}; {nearest(str(value), every)}")
    return str(value)


def check_some_of(name: str, value: Any, known: Sequence[str]) -> tuple[str, ...]:
    """Some of a set of words, in the order of `known`.

    >>> check_some_of("videos", ["motion", "static"], ("static", "motion"))
    ('static', 'motion')
    """
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Sequence):
        raise ConfigError(f"{name} is a list, got {shown(value)}: write {name}=[{','.join(known[:2])}]")
    for word in value:
        if word not in known:
            raise UnknownName(f"no {name.removesuffix('s')} {word!r}; {nearest(str(word), known)}")
    return tuple(word for word in known if word in value)


def shown(value: Any) -> str:
    """A value as a message shows it: at most 80 characters, also of a number of a million digits.

    >>> shown("a"), shown(10**5000), len(shown("a" * 1000))
    ("'a'", 'a number of more digits than can be shown', 80)
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return "a number of more digits than can be shown"
    return text if len(text) <= 80 else text[:79] + "…"


def rational(value: Any) -> Fraction:
    """A number as an exact fraction, from a number or from text of at most 41 characters, read in no time whatever it says.

    `Fraction("1e10000000")` would work out ten million digits.

    Raises:
        InvalidValue: it is no finite number, or written longer than any real length or rate.

    >>> rational("30000/1001"), rational(0.1), rational("1e2")
    (Fraction(30000, 1001), Fraction(1, 10), Fraction(100, 1))
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) >= 10**20):
        raise InvalidValue(
            f"{str(value)[:40] if isinstance(value, bool) else 'a whole number'} is no length and no rate"
        )
    typed = str(value).strip() if isinstance(value, str | int | float) else ""
    if not _RATIONAL.fullmatch(typed) or (denominator := typed.partition("/")[2]) and not int(denominator):
        raise InvalidValue(f"{typed[:40]!r} is no number such as 30, 29.97 or 30000/1001")
    return Fraction(typed)


def check_frame_rate(name: str, value: Any) -> Fraction:
    """Frames per second: any rational above 0 and at most 120, as a number or as text.

    >>> check_frame_rate("fps", "30000/1001")
    Fraction(30000, 1001)
    """
    try:
        fps = rational(value)
    except InvalidValue:
        fps = Fraction(0)
    if not 0 < fps <= 120:
        raise ConfigError(
            f"{name} is a number of frames a second above 0 and at most 120, got {shown(value)}: set {name}=30"
        )
    return fps
