"""One runner for all benchmarks: `python -m benchmarks [NAME ...] [--write]` prints the table, `--write` keeps it in docs/.

A benchmark is a file here with `run() -> dict` of what, against, ratio (how many times faster), goal, met and note.
Each runs in a process of its own, so that none inherits another's caches or threads.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "results" / "benchmarks.md"
HEAD = """# Benchmarks

Ratios of median times measured in one run on one machine, ours against the other way of doing the same thing; above 1 is faster.
Made by `make bench ARGS=--write` (`python -m benchmarks NAME --write` renews one row); no test asserts a time.

{machine}, {day}.

| benchmark | what | against | times as fast | goal | met | note |
|---|---|---|---|---|---|---|
"""


def names() -> list[str]:
    """All benchmarks."""
    return sorted(p.stem for p in HERE.glob("*.py") if not p.stem.startswith("_"))


def measure(name: str) -> dict[str, object]:
    """Run one benchmark in a fresh process."""
    code = f"import json; from benchmarks.{name} import run; print('\\n' + json.dumps(run()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE.parent, capture_output=True, text=True)
    if done.returncode:  # weights or an extra that is not here, say: the row tells why
        why = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return {
            "what": name,
            "against": "",
            "ratio": float("nan"),
            "goal": "",
            "met": None,
            "note": f"not measured: {why}",
        }
    found: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def row(name: str, found: dict[str, object]) -> str:
    """One line of the table."""
    met = {True: "yes", False: "**no**", None: ""}[found.get("met")]  # type: ignore[index]
    ratio = float(found["ratio"])  # type: ignore[arg-type]
    times = "not measured" if math.isnan(ratio) else f"{ratio:.3g}"
    return f"| {name} | {found['what']} | {found['against']} | {times} | {found['goal']} | {met} | {found['note']} |"


def machine() -> str:
    """Processor, cores and Python, without naming the host."""
    model = ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    return f"{model or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main(words: list[str]) -> int:
    """Measure what is asked for, or everything."""
    wanted = [w for w in words if not w.startswith("-")] or names()
    unknown = set(wanted) - set(names())
    if unknown:
        print(f"no benchmark {sorted(unknown)[0]!r}; known: {', '.join(names())}", file=sys.stderr)
        return 2
    rows = []
    for name in wanted:
        rows.append(row(name, measure(name)))
        print(rows[-1], flush=True)
    if "--write" in words:
        kept = [line for line in _written() if line.split(" | ")[0].strip("| ") not in wanted]
        head = HEAD.format(machine=machine(), day=date.today().isoformat())
        PAGE.write_text(head + "\n".join(sorted(kept + rows)) + "\n", "utf-8")
    return 0


def _written() -> list[str]:
    """The page's rows of benchmarks that there still are."""
    lines = PAGE.read_text("utf-8").splitlines() if PAGE.exists() else []
    return [line for line in lines if line.split(" | ")[0].strip("| ") in names()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
