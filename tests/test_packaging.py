"""What leaves the house: the wheel, the editable install, the locks, the licence and the citation."""

from __future__ import annotations

import json
import os
import re
import site
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-core.lock", "requirements-build.lock")
CORE = {
    "av", "fonttools", "hydra-core", "jinja2", "librosa", "matplotlib", "mido", "numba", "numpy", "onnxruntime", "pillow", "rich",
    "safetensors", "scipy", "soundfile", "soxr",
}  # fmt: skip
HEAVY = {"torch", "torchvision", "tensorflow", "essentia-tensorflow", "transformers", "gradio", "lightning", "triton"}
CITED = (
    "HouseX", "No-Pain-No-GAN", "The use of music", "BigGAN", "MusicGenAI", "arbitrary neural artistic stylization",
    "Danceability Estimation",
)  # fmt: skip


def project() -> dict:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def shipped(folder: str) -> set[str]:
    """Every file under `folder` but bytecode, as a path inside the package."""
    names = set()
    for path in (REPOSITORY / folder).rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            name = path.relative_to(REPOSITORY).as_posix()
            names.add(name if folder == "spectrogrand" else f"spectrogrand/{name}")
    return names


def run(*command: object, cwd: Path, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env={**kept, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built with the build backend that is installed here (no network)."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, REPOSITORY, cwd=folder)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def empty_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with the wheel in it; the dependencies are borrowed from this one.

    A folder added by a .pth file has its own .pth files ignored, so this checkout stays out of sight.
    """
    folder = tmp_path_factory.mktemp("empty") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    python = folder / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    run(uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel, cwd=folder.parent)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()))
    return python


def test_wheel_holds_configs_and_data(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    training = {n.replace("spectrogrand/train/", "spectrogrand/training/") for n in shipped("train/conf")}
    expected = shipped("spectrogrand") | shipped("conf") | training
    assert "spectrogrand/conf/config.yaml" in expected
    assert inside == expected


def test_wheel_metadata(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    fields = Parser().parsestr(archive.read(name).decode())
    assert fields["License-Expression"] == "Apache-2.0"
    assert fields.get_all("License-File") == ["LICENSE"]
    assert Requirement(f"python{fields['Requires-Python']}").specifier == Requirement("python>=3.11,<3.14").specifier
    folder = name.rpartition("/")[0]
    assert b"Apache License" in archive.read(f"{folder}/licenses/LICENSE")
    scripts = archive.read(f"{folder}/entry_points.txt").decode()
    assert "spectrogrand = spectrogrand.__main__:main" in scripts


def test_wheel_runs_from_another_directory(empty_environment: Path, tmp_path: Path) -> None:
    where = run(empty_environment, "-c", "import spectrogrand; print(spectrogrand.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(empty_environment.parent.parent)
    listed = json.loads(run(empty_environment, "-m", "spectrogrand", "list", "--json", cwd=tmp_path))
    assert {"house_synth", "procedural_cover", "novelty"} <= {plugin["name"] for plugin in listed}
    conf = "from spectrogrand.config import conf_folder; print(conf_folder())"
    found = Path(run(empty_environment, "-c", conf, cwd=tmp_path).strip())
    assert found.is_relative_to(empty_environment.parent.parent)
    assert "topic" in run(empty_environment.with_name("spectrogrand"), "run", "--help", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []
    settings = "topic=sea songs=1 covers=1 song.duration=2 size=64 videos=[static]".split()
    run(empty_environment, "-m", "spectrogrand", "run", *settings, cwd=tmp_path)
    (report,) = tmp_path.glob("outputs/*/report.html")
    assert (report.parent / "static.mp4").stat().st_size > 0


def test_editable_install_leaves_no_copy() -> None:
    installed = metadata.distribution("spectrogrand")
    direct = json.loads(installed.read_text("direct_url.json") or "{}")
    if not direct.get("dir_info", {}).get("editable"):
        pytest.skip("spectrogrand is not installed editable here")
    copies = [str(file) for file in installed.files or [] if str(file).startswith("spectrogrand/")]
    assert copies == []
    assert not any((Path(folder) / "spectrogrand").exists() for folder in site.getsitepackages())
    assert not (REPOSITORY / "spectrogrand" / "conf").exists()


def pins(lock: str) -> dict[str, str]:
    """name -> 'version; marker' of every requirement in a lock file."""
    found = {}
    for line in (REPOSITORY / lock).read_text().splitlines():
        if not line.startswith((" ", "#")) and line.strip():
            requirement = Requirement(line.removesuffix("\\").strip())
            found[canonicalize_name(requirement.name)] = str(requirement.specifier)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_is_hashed_and_names_no_index(lock: str) -> None:
    text = (REPOSITORY / lock).read_text()
    assert not re.search(r"://|index.url|find.links|\bfile:", text)
    for block in re.split(r"\n(?=[^\s#])", text.strip()):
        assert re.match(r"[A-Za-z0-9._-]+==\S+", block) and "--hash=sha256:" in block, block[:80]


def test_locks_agree_and_the_core_is_light() -> None:
    full, core, build = map(pins, LOCKS)
    assert len(full) > 150
    for smaller in (core, build):
        assert smaller.items() <= full.items()
    assert core.keys() >= CORE
    assert not core.keys() & HEAVY
    assert not [name for name in core if name.startswith("nvidia-")]
    assert full.keys() >= HEAVY


def test_locks_hold_what_the_project_asks_for() -> None:
    asked = [Requirement(line) for line in project()["dependencies"]]
    assert {requirement.name for requirement in asked} == CORE
    core, full = pins("requirements-core.lock"), pins("requirements.lock")
    for lock, requirements in ((core, asked), (full, asked + _extras())):
        for requirement in requirements:
            version = lock[canonicalize_name(requirement.name)].removeprefix("==")
            assert requirement.specifier.contains(version, prereleases=True), f"{requirement} against {version}"


def _extras() -> list[Requirement]:
    lines = [line for lines in project()["optional-dependencies"].values() for line in lines]
    return [requirement for line in lines if (requirement := Requirement(line)).name != "spectrogrand"]


def test_extra_all_names_every_other_extra() -> None:
    extras = project()["optional-dependencies"]
    (everything,) = extras["all"]
    assert Requirement(everything).extras == set(extras) - {"all"}


def test_citation() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert citation.keys() >= {"cff-version", "message", "title", "authors", "license", "version"}
    assert citation["license"] == project()["license"] == "Apache-2.0"
    assert citation["version"] == project()["version"] == metadata.version("spectrogrand")
    paper = citation["preferred-citation"]
    assert paper["title"].startswith("Spectrogrand: Computational Creativity Driven Audiovisuals")
    assert [author["family-names"] for author in paper["authors"]] == ["Jaisankar", "Jayagopi"]
    assert paper["year"] == 2024
    titles = [reference["title"] for reference in citation["references"]]
    for work in CITED:
        assert any(work in title for title in titles), work
    assert all(reference.keys() >= {"type", "title", "authors"} for reference in citation["references"])


def test_network_is_closed_to_tests() -> None:
    import socket

    with pytest.raises(AssertionError, match="tests use no network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(AssertionError, match="tests use no network"):
        socket.getaddrinfo("example.org", 80)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()[:2], timeout=1).close()
