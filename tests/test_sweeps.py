"""Sweeps: planned first, each distinct step made once, a job that fails or dies loses only itself, the missing is resumed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spectrogrand.errors import StoreError
from spectrogrand.store import Store
from spectrogrand.sweeps.sweep import Sweep, name_job

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = '''
import os, signal, time
import numpy as np
from dataclasses import dataclass
from pathlib import Path
from spectrogrand import Card, CoverBrief, CreativityScorer, Generator, Image
from spectrogrand.checks import whole
from spectrogrand.errors import CandidateError
from spectrogrand.pipelines._settings import Common
from spectrogrand.runs.slots import Slot


class Dot(Generator):
    """One colour; may fail, die or dawdle at a seed."""
    source, artefact, card = CoverBrief, Image, Card("a cover of one colour", licence="MIT")

    def __init__(self, level: int = 8, fail: int = -1, die: int = -1, wait: float = 0.0):
        self.level, self.fail, self.die, self.wait = level, fail, die, wait

    def generate(self, sources, seeds):
        with open(os.environ["DOTS"], "a") as log:
            log.write("".join(f"{self.level}/{s} {os.getpid()}\\n" for s in seeds))
        time.sleep(self.wait)
        for seed in seeds:
            if seed == 1000 * self.fail:
                raise RuntimeError("the brush broke")
            if seed == 1000 * self.die and not os.path.exists(os.environ["DOTS"] + ".died"):
                Path(os.environ["DOTS"] + ".died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return [Image(np.full((16, 16, 3), (self.level + s) % 256, np.uint8)) for s in seeds]


class Dark(CreativityScorer):
    """How dark a cover is."""
    aspect, artefact, card = "value", Image, Card("how dark a cover is", licence="MIT")

    def score(self, batch):
        return np.array([255 - i.pixels.mean() for i in batch], np.float64)


SLOTS = {"cover": Slot(Generator, CoverBrief, Image)}


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    covers: int = whole(1, 9, default=2)


def run(run, s):
    run.best("cover", [CoverBrief(s.subject, "bass", "black", "ascends")] * s.covers)
'''
DOTS = ["pipeline=dots", "topic=x", "cover=dot", "cover_scorers=[dark]", "gates=[]", "output=out"]


@pytest.fixture
def dots(tmp_path):
    """A call of the command line in which a tiny pipeline is installed; `.made` lists what its generator made."""
    (tmp_path / "dots.py").write_text(PACKAGE)
    info = tmp_path / "dots-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dots\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[spectrogrand.plugins]\ngenerators.dot = dots:Dot\nscorers.dark = dots:Dark\n[spectrogrand.pipelines]\ndots = dots\n"
    )
    log = tmp_path / "log.txt"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), "DOTS": str(log)}

    class Dots:
        folder = tmp_path

        def __call__(self, *words):
            return subprocess.run(self.command(*words), capture_output=True, text=True, env=environment, cwd=tmp_path)

        def start(self, *words):
            return subprocess.Popen(self.command(*words), env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL)  # fmt: skip

        def command(self, *words):
            return [sys.executable, "-m", "spectrogrand", *words]

        @property
        def made(self):
            return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []

        @property
        def sweep(self):
            (folder,) = (tmp_path / "out").glob("sweep-*")
            return Sweep.load(folder)

    return Dots()


def test_a_plan_shared_steps_duplicates_and_names(dots):
    done = dots("run", "-m", *DOTS, "selection=quantile,published", "seed=0,1,0")
    assert done.returncode == 0, done.stderr
    assert (
        "4 jobs (2 more are the same as one of them); 16 steps, at most 8 distinct (4 covers, 4 cover scores)"
        in done.stderr
    )
    assert sorted(dots.made) == ["8/0", "8/1", "8/1000", "8/1001"], "each distinct candidate once"
    assert [j.folder for j in dots.sweep.jobs] == [
        "0000_selection=quantile_seed=0", "0001_selection=quantile_seed=1", "0002_selection=published_seed=0",
        "0003_selection=published_seed=1",
    ]  # fmt: skip
    told = json.loads((dots.sweep.folder / "sweep.json").read_text())
    assert [j["state"] for j in told["jobs"]] == ["finished"] * 4 and told["fixed"]["plan"]["duplicates"] == 2
    assert len(done.stdout.split()) == 4 and "4/4" in done.stderr
    again = dots("run", "-m", *DOTS, "selection=quantile,published", "seed=0,1,0")
    assert again.returncode == 0 and "are finished already" in again.stderr
    assert len(list(dots.folder.glob("out/*/*/run.json"))) == 4 and len(dots.made) == 4


def test_a_misspelt_key_is_refused_before_any_job(dots):
    for words in (["cover.levl=1,2"], ["cover=dott,dot"], ["cover.level=1,2", "sede=1"]):
        done = dots("run", "-m", *DOTS, *words)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert not dots.made and not (dots.folder / "out").exists()


@pytest.mark.parametrize("launcher", ["basic", "joblib", "submitit_local"])
def test_one_failing_job_loses_only_itself_and_resume_makes_it(dots, launcher):
    more = {"joblib": ["hydra.launcher.n_jobs=2"], "submitit_local": ["hydra.launcher.timeout_min=3"]}.get(launcher, [])
    if launcher != "basic":
        pytest.importorskip(f"hydra_plugins.hydra_{launcher.partition('_')[0]}_launcher")
    done = dots("run", "-m", *DOTS, "seed=0,1,2", "cover.fail=1", f"hydra/launcher={launcher}", *more)
    assert done.returncode == 1, done.stderr
    assert "job 1 (0001_seed=1) failed: RuntimeError: the brush broke" in done.stderr
    assert "2 of 3 jobs finished" in done.stderr
    assert [j.state for j in dots.sweep.jobs] == ["finished", "failed", "finished"]
    table = dots("table", "out")
    assert "job 1 of" in table.stdout and "the brush broke" in table.stdout
    before = len(dots.made)
    (dots.folder / "dots.py").write_text(PACKAGE.replace('raise RuntimeError("the brush broke")', "pass"))
    resumed = dots("resume", str(dots.sweep.folder))
    assert resumed.returncode == 0, resumed.stderr
    assert [j.folder for j in dots.sweep.jobs] == ["0000_seed=0", "0001_seed=1", "0002_seed=2"]
    assert [m.split("/")[1][0] for m in dots.made[before:]] == ["1", "1"], "only what was missing"


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_one_killed_job_loses_only_itself(dots, launcher):
    """SIGKILL in the middle of a job: joblib's pool breaks, submitit loses a task; the others finish, it is tried again."""
    pytest.importorskip(f"hydra_plugins.hydra_{launcher.partition('_')[0]}_launcher")
    more = ["hydra.launcher.n_jobs=2"] if launcher == "joblib" else ["hydra.launcher.timeout_min=3"]
    done = dots("run", "-m", *DOTS, "seed=0,1,2,3", "cover.die=1", f"hydra/launcher={launcher}", *more)
    assert done.returncode == 0, done.stderr
    jobs = dots.sweep.jobs
    assert [j.state for j in jobs] == ["finished"] * 4 and jobs[1].attempts == 2
    assert len(list(dots.sweep.folder.glob("*/run.json"))) == 4


def test_killed_half_way_and_resumed_nothing_is_made_again(dots):
    words = ["run", "-m", *DOTS, "seed=0,1,2,3", "cover.wait=0.4", "covers=1"]
    child = dots.start(*words)
    until = time.monotonic() + 90
    while len(dots.made) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    child.kill()
    child.wait()
    states = [j.state for j in dots.sweep.jobs]
    assert states[0] == "finished" and "killed" in states and states[-1] == "planned", states
    done = dots(*words)
    assert done.returncode == 0 and "was begun with these jobs" in done.stderr, done.stderr
    assert [j.state for j in dots.sweep.jobs] == ["finished"] * 4
    assert len([*dots.sweep.folder.glob("0*")]) == 4, "no folder twice"
    counts = {m: dots.made.count(m) for m in dots.made}
    assert sum(counts.values()) <= 5 and max(counts.values()) <= 2, "at most the one candidate that the kill tore"


def test_optuna_gets_the_objective_and_goes_uphill(dots):
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    done = dots(
        "run", "-m", *DOTS, "topic=a, b: (c)", "cover.level=interval(0,200)", "hydra/sweeper=optuna", "objective=cover.dark",
        "hydra.sweeper.n_trials=4", "hydra.sweeper.direction=maximize", "covers=1", "hydra.sweeper.sampler.seed=1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    jobs = dots.sweep.jobs
    assert len(jobs) == 4
    for job in jobs:
        record = json.loads((dots.sweep.folder / job.folder / "run.json").read_text())
        assert record["topic"] == "a, b: (c)"
        assert job.objective == pytest.approx(record["choices"]["cover"]["candidates"][0]["scores"]["dark"])
    best = (dots.sweep.folder / "optimization_results.yaml").read_text()
    assert f"best_value: {max(j.objective for j in jobs)}" in best


def test_a_launcher_that_is_not_installed_is_told_with_its_line(dots):
    (dots.folder / "sitecustomize.py").write_text(
        "import hydra_plugins, sys\nhydra_plugins.__path__ = []\n"  # as if no plug-in of Hydra's were installed
    )
    done = dots("run", "-m", *DOTS, "seed=0,1", "hydra/launcher=joblib")
    assert done.returncode == 1 and "pip install 'spectrogrand[sweeps]'" in done.stderr, done.stderr


def test_two_processes_share_a_store_without_double_work(dots):
    """Both sweeps need the same four covers at the same time: each is made once, by whichever came first."""
    first = dots.start("run", "-m", *DOTS, "seed=0,1,2,3", "covers=1", "cover.wait=0.3", "store=shared")
    second = dots.start(
        "run", "-m", *DOTS[:-1], "output=other", "seed=3,2,1,0", "covers=1", "cover.wait=0.3", "store=shared"
    )
    assert first.wait(120) == 0 and second.wait(120) == 0
    assert sorted(dots.made) == ["8/0", "8/1000", "8/2000", "8/3000"]


CLAIMER = """
import sys, time
from spectrogrand.store import Store
with Store(sys.argv[1]).claimed("ab" * 32):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_claim_of_a_dead_process_is_taken_over(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", CLAIMER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert child.stdout.readline() == "held\n"
    store = Store(tmp_path)
    with store.claimed("ab" * 32, wait=False) as mine:
        assert not mine
    child.kill()
    child.wait()
    child.stdout.close()
    with store.claimed("ab" * 32, wait=False) as mine:
        assert mine
    assert not list((tmp_path / ".claims").iterdir())


def test_a_folder_that_is_no_sweep_is_said(tmp_path):
    with pytest.raises(StoreError, match=r"give the folder of a sweep"):
        Sweep.load(tmp_path)
    (tmp_path / "sweep.json").write_text("{")
    with pytest.raises(StoreError, match=r"no readable sweep.json"):
        Sweep.load(tmp_path)


@pytest.mark.parametrize("value", ["../../etc", "a" * 500, "🚀", "a/b\\c", ".", "x=1,y=2"])
def test_names_of_jobs_are_names_and_never_paths(value):
    name = name_job(7, {"topic": value})
    assert name.startswith("0007") and len(name) <= 120 and not set(name) & set("/\\\0") and ".." not in name


def test_after_a_sweep_the_same_process_still_composes():
    from hydra.core.global_hydra import GlobalHydra

    from spectrogrand.config import compose
    from spectrogrand.sweeps.points import hydra_apart, master

    with hydra_apart():
        master([], "outputs", "sweep")
        assert GlobalHydra.instance().is_initialized()
    assert not GlobalHydra.instance().is_initialized()
    assert compose(["topic=sea"])["topic"] == "sea"
