"""The most creative of a few artefacts, in one call: gates, scores, reference scores, noise, and the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import registry
from ..errors import ConfigError, InvalidValue, PluginError
from ..interfaces import Context, CreativityScorer, Gate, Selector
from ..selection import Choice, choose


@dataclass(frozen=True)
class Best:
    """The winner and how it won: `item` is it, `index` its place, `scores` float64 (item,) by scorer, `choice` the rest."""

    item: Any
    index: int
    scores: Mapping[str, np.ndarray]
    choice: Choice

    @property
    def why(self) -> str:
        """Why it won, in a sentence."""
        return self.choice.why


def best(
    candidates: Sequence[Any],
    scorers: Sequence[str | CreativityScorer] | Mapping[str, str | CreativityScorer],
    *,
    gates: Sequence[str | Gate] | None = None,
    weights: Mapping[str, float] | None = None,
    rule: str | Selector = "quantile",
) -> Best:
    """Choose among songs or pictures as a run does: what must never win fails first, scores are set beside their references.

    Args:
        candidates: of one type: `Audio`, `Image`.
        scorers: names of scorers, or scorers that `build` made; a mapping gives them names of their own.
        gates: the same of gates; None: every gate for what the candidates are, more than a run's default. An empty list: none.
        weights: by scorer, default 1 each.
        rule: of selection; a run's default is "ranks".

    Raises:
        InvalidValue: no candidates, or of several types. NoCandidateLeft: every one failed.
        ConfigError: a scorer or a gate rates something else. UnknownName: no such scorer, gate, rule or weight.

    >>> import spectrogrand as sg
    >>> songs = sg.build("generators", "house_synth", duration=4.0).generate([sg.Topic("rain")] * 2, seeds=[0, 1])
    >>> found = best(songs, ["danceability"], gates=["silence"])
    >>> found.item is songs[found.index], list(found.scores)
    (True, ['danceability'])
    """
    kinds = {type(c) for c in candidates}
    if len(kinds) != 1:
        raise InvalidValue(f"give one or more candidates of one type, got {[k.__name__ for k in kinds] or 'none'}")
    kind = kinds.pop()
    named = scorers if isinstance(scorers, Mapping) else {s if isinstance(s, str) else s.name: s for s in scorers}
    rating: dict[str, CreativityScorer] = {k: _built("scorers", s, kind) for k, s in named.items()}
    if unknown := set(weights or {}) - set(rating):
        raise ConfigError(f"weights name no scorer here: {', '.join(sorted(unknown))}; known: {', '.join(rating)}")
    if gates is None:
        gates = [n for n in registry.names("gates") if getattr(registry.get("gates", n), "artefact", None) is kind]
    failed: list[str | None] = [None] * len(candidates)
    for gate in (_built("gates", g, kind) for g in gates):
        failed = [old or new for old, new in zip(failed, gate.check(candidates), strict=True)]
    scores = {k: _scored(s, candidates) for k, s in rating.items()}
    choice = choose(
        scores, weights=weights, failed=failed, rule=rule, noise={k: s.noise for k, s in rating.items()},
        references={k: s.reference_scores() for k, s in rating.items()},
    )  # fmt: skip
    return Best(candidates[choice.index], choice.index, scores, choice)


def _built(kind: str, part: Any, artefact: type) -> Any:
    made = registry.build(kind, part) if isinstance(part, str) else part
    if made.artefact is not artefact:
        raise ConfigError(f"{made.name} rates {made.artefact.__name__}, the candidates are {artefact.__name__}")
    return made


def _scored(scorer: CreativityScorer, candidates: Sequence[Any]) -> np.ndarray:
    """float32 is cast; anything else that is not one number an item is refused."""
    context = Context("", (), candidates)
    made = np.asarray(scorer.score_in_context(candidates, context) if scorer.contextual else scorer.score(candidates))
    if made.shape != (len(candidates),) or made.dtype.kind != "f":
        raise PluginError(f"scorer {scorer.name!r} gave {made.dtype} {made.shape}, expected one number an item")
    return made.astype(np.float64)
