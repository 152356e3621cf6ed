"""Large memory pages for torch on a processor: a batch's activations are fresh memory at every step."""

from __future__ import annotations

import os


def large_pages() -> None:
    """Ask torch's allocator for pages of 2 MB where the system has them (Linux: madvise); before torch's first tensor.

    Clearing 4 kB pages one by one took a quarter of an epoch of augmented covers (`benchmarks/training_augment.py`). A
    choice that the environment already makes is kept, and processes started from here inherit it.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
