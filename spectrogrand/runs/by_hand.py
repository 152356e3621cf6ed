"""What a person chose: a candidate by its number, or the song or cover of an earlier run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..errors import NoCandidateLeft, StoreError
from ..selection import Choice
from ..store import Store, digest, file_digest
from .artefacts import Item

STORED = {"song": ("song.wav", "song.wav"), "cover": ("cover.png", "picture.png")}
"""The file of each artefact that can be kept: in a run's folder, and in the store."""


def given(scores: Mapping[str, np.ndarray], why: str) -> Choice:
    """The choice of the only artefact that there is."""
    used = {k: np.asarray(v, np.float64) for k, v in scores.items()}
    return Choice(0, np.array([np.nan]), used, (None,), "given", why)


def choose_by_hand(choice: Choice, slot: str, index: int, failed: Sequence[str | None]) -> Choice:
    """The same choice with the candidate that a person wants.

    Raises:
        NoCandidateLeft: there is no such candidate, or it failed.
    """
    if not 0 <= index < len(failed):
        raise NoCandidateLeft(f"there is no {slot} {index} to take, only 0 to {len(failed) - 1}")
    if failed[index] is not None:
        raise NoCandidateLeft(f"{slot} {index} was chosen by hand and cannot be used: it {failed[index]}")
    if index == choice.index:
        return replace(choice, why=f"it was chosen by hand, and by the scores as well: {choice.why}")
    return replace(choice, index=index, why=f"it was chosen by hand; the scores would have taken candidate {choice.index}")


def take_from(store: Store, slot: str, folder: Path) -> tuple[Item, dict[str, Any] | None]:
    """A past run's song or cover as a stored artefact, and the plug-in that made it as that run's record tells it.

    The bytes are those of the file in the run's folder, so that whatever was made from it is found again.

    Raises:
        StoreError: the run's folder is gone, or holds no such file.
    """
    name, stored = STORED[slot]
    try:
        record = json.loads((folder / "run.json").read_text("utf-8"))
        sha256 = file_digest(folder / name)
    except (OSError, ValueError) as error:
        raise StoreError(f"the {slot} of {folder} cannot be kept ({error}): is the run still there?") from error
    choice = (record.get("choices") or {}).get(slot) or {}
    row: dict[str, Any] = next((r for r in choice.get("candidates") or [] if r.get("index") == choice.get("chosen")), {})
    plan, notes = row.get("plan"), row.get("notes")

    def make(target: Path) -> None:
        shutil.copyfile(folder / name, target / stored)
        if plan is not None:
            (target / "plan.json").write_text(json.dumps(plan), "utf-8")
        if notes is not None:
            (target / "notes.json").write_text(json.dumps(notes, ensure_ascii=False), "utf-8")

    key = digest({"step": "kept", "sha256": sha256, "plan": plan, "notes": notes, "version": __version__})
    entry, _ = store.get_or_make(key, make)
    return Item(entry, int(row.get("seed") or 0), row.get("brief")), (record.get("parts") or {}).get(slot)
