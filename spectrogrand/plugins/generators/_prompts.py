"""Prompts: a template filled with plain words, and a warning that shows what a text encoder's window cuts off."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from ...errors import InvalidValue, nearest
from ...weights.checkpoints import quiet


def filled(template: str, **fields: str) -> str:
    """The template with each {field} replaced by its text; braces in the texts stay as they are.

    Raises:
        InvalidValue: the template names a field that there is not.

    >>> filled("music for {topic}", topic="a {strange} topic")
    'music for a {strange} topic'
    """
    if not isinstance(template, str) or not template.strip():
        raise InvalidValue(f"a prompt is text, with {{{next(iter(fields))}}} where that goes, got {template!r}")
    for name in re.findall(r"\{(\w*)\}", template):
        if name not in fields:
            raise InvalidValue(f"the prompt {template!r} has no field {{{name}}} to fill; {nearest(name, fields)}")
    return re.sub(r"\{(\w+)\}", lambda found: fields[found[1]], template)


def warn_of_cuts(part: str, pipeline: Any, prompts: Sequence[str | None]) -> None:
    """Warn, once per prompt, of the words that lie beyond the window of every one of the pipeline's text encoders.

    What only one of several encoders cuts (CLIP's 77 tokens beside T5's 512) is still read by the others.
    """
    tokenizers, limit = list(_tokenizers(pipeline)), _limit(pipeline)
    for prompt in dict.fromkeys(p for p in prompts if p):
        with quiet():
            cuts = [cut(tokenizer, prompt, limit) for tokenizer in tokenizers]
        if cuts and all(c is not None for c in cuts):
            window, lost = max((c for c in cuts if c is not None), key=lambda c: c[0])
            warnings.warn(
                f"{part}: the prompt is longer than the text encoder's {window} tokens; cut off: {lost!r}", stacklevel=3
            )


def cut(tokenizer: Any, prompt: str, limit: int = 1 << 30) -> tuple[int, str] | None:
    """The window in tokens, `limit` at most, and the words beyond it; None where the prompt fits or the window has no end."""
    window = int(min(tokenizer.model_max_length, limit))
    whole = tokenizer(prompt, truncation=False)["input_ids"]
    if len(whole) <= window:
        return None
    kept = tokenizer(prompt, truncation=True, max_length=window)["input_ids"]
    special = set(tokenizer.all_special_ids)
    read, every = sum(i not in special for i in kept), [i for i in whole if i not in special]
    return window, tokenizer.decode(every[read:]).strip()


def _limit(pipeline: Any) -> int:
    """How many tokens a pipeline gives its text encoders at most, where it has a limit of its own (PixArt: 120 and 300)."""
    taken = inspect.signature(pipeline.__call__).parameters if callable(pipeline) else {}
    default = taken["max_sequence_length"].default if "max_sequence_length" in taken else None
    return default if isinstance(default, int) else 1 << 30


def _tokenizers(pipeline: Any) -> Iterator[Any]:
    for name in ("tokenizer", "tokenizer_2", "tokenizer_3", "prior_tokenizer"):
        tokenizer = getattr(pipeline, name, None)
        if tokenizer is not None and hasattr(tokenizer, "model_max_length"):
            yield tokenizer
