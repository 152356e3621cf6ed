"""Nothing phones home: no file in an empty cache, no look-up of a name, whatever is loaded; held from outside by strace."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SONG = "import numpy as np, soundfile; soundfile.write('song.wav', np.sin(np.arange(44100) / 9) / 2, 22050)"
COMMANDS = {
    "list": ["-m", "spectrogrand", "list"],
    "run": [
        "-m", "spectrogrand", "run", "topic=sea", "songs=1", "covers=1", "size=64", "song.duration=2", "fps=4",
        "stylizer=spectral_style", "videos=[dynamic_content]", "output=out",
    ],
    "own song": [
        "-m", "spectrogrand", "run", "song=file", "song.path=song.wav", "size=64", "covers=1", "fps=4", "videos=[static]",
    ],
    "table": ["-m", "spectrogrand", "table", "."],
    "worker": ["-c", (
        "from spectrogrand.models.isolation import Worker\n"
        "if __name__ == '__main__':\n"
        "    with Worker('stylizers', 'spectral_style') as w: w.call('identity'); w.call('_load')"
    )],
    "training": [
        "-c",
        "import spectrogrand.training.loop.fitting, train.export; "
        "from onnxruntime.quantization import QuantType",
    ],
    "gradio and hydra": [
        "-c",
        "import spectrogrand.app.command, gradio, huggingface_hub, hydra; "
        "gradio.Blocks(analytics_enabled=False)",
    ],
}  # fmt: skip


def watched(folder, words):
    """What a command left in its empty home, and the addresses outside this machine that it or its children reached for."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    log = folder / "log"
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    env = {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(folder / "numba")}
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmmsg", "-o", str(log), sys.executable, *words],
        cwd=folder, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 or "_load" in str(words), done.stderr[-2000:]
    left = [str(p.relative_to(home)) for p in home.rglob("*") if p.is_file()]
    reached = [
        line
        for line in log.read_text(errors="replace").splitlines()
        if re.search(r"sa_family=AF_INET6?", line) and not re.search(r"127\.\d|::1\"|0\.0\.0\.0|htons\(0\)", line)
    ]
    return left, reached


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in ("training", "gradio and hydra") else []) for n in COMMANDS],
)
def test_nothing_phones_home(tmp_path, name):
    subprocess.run([sys.executable, "-c", SONG], cwd=tmp_path, check=True)
    left, reached = watched(tmp_path, COMMANDS[name])
    allowed = ("matplotlib/", "fontconfig/", "huggingface/", "spectrogrand/")
    assert [p for p in left if not any(a in p for a in allowed)] == []
    assert reached == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_watch_sees_what_it_should(tmp_path):
    left, reached = watched(tmp_path, ["-c", "import socket; socket.socket(type=2).sendto(b'x', ('192.0.2.1', 53))"])
    assert left == []
    assert len(reached) == 1


def test_the_variables_are_set_by_importing_the_package():
    code = "import spectrogrand, os; print(os.environ['ORT_DISABLE_TELEMETRY'], os.environ['HF_HUB_DISABLE_TELEMETRY'])"
    env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "ORT_DISABLE_TELEMETRY": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1"]


def test_onnxruntime_is_imported_in_one_place():
    """`import onnxruntime` lies in privacy.py alone; tests and trainings have imported the package before."""
    for folder in ("spectrogrand", "train", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            names = {
                a.name
                for n in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(n, ast.Import)
                for a in n.names
            }
            assert "onnxruntime" not in names or path.name == "privacy.py", path
