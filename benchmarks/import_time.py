"""Import: what `import spectrogrand` adds to starting Python, against importing numpy alone."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

REPEATS = 9


def run() -> dict[str, object]:
    """Medians over fresh processes, interleaved."""
    codes = {"nothing": "pass", "spectrogrand": "import spectrogrand", "numpy": "import numpy"}
    taken: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(REPEATS + 1):
        for name, code in codes.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            taken[name].append(time.perf_counter() - begun)
    medians = {name: statistics.median(times[1:]) for name, times in taken.items()}
    added = max(medians["spectrogrand"] - medians["nothing"], 1e-4)
    return {
        "what": "`import spectrogrand`, added to starting Python",
        "against": "`import numpy`",
        "ratio": (medians["numpy"] - medians["nothing"]) / added,
        "goal": "under 0.1 s",
        "met": added < 0.1,
        "note": f"{added * 1000:.0f} ms, median of {REPEATS} processes",
    }


if __name__ == "__main__":
    print(run())
