"""The plan of the house, held: who may import what, what is never used, how long a file may be, what an import costs."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "spectrogrand"
LONGEST, MOST, MOST_IN_ROOT = 400, 16, 15
"""Lines of a file, modules of a room, and modules beside the rooms (`__init__` aside)."""
HEAVY = {
    "av", "diffusers", "essentia", "gradio", "h5py", "jax", "jinja2", "lightning", "librosa", "matplotlib", "numkong", "onnx",
    "onnxruntime", "PIL", "pandas", "pyarrow", "ray", "ribs", "rich",
    "scipy", "sentence_transformers", "sklearn", "soundfile", "soxr", "tensorflow",
    "tensorflow_hub", "timm", "torch", "torchaudio", "torchmetrics", "torchvision", "transformers", "usearch",
}  # fmt: skip
"""Imported inside the functions that need them, never at the top of a file."""
MODELS = {"torch", "tensorflow", "librosa", "essentia", "diffusers", "transformers", "jax", "onnxruntime"}
FLOORS = (
    "errors privacy", "types", "interfaces checks files progress statistics", "media", "audio image store registry",
    "albums config selection walks provenance weights metrics testing", "engines report", "models lyrics references", "plugins",
    "runs", "pipelines preparing training scale", "sweeps", "app cli", "__main__",
)  # fmt: skip
"""The house from the ground up: a room imports itself and what stands on a lower floor, nothing beside or above it."""
FLOOR = {room: k for k, rooms in enumerate(FLOORS) for room in rooms.split()}
HYDRA = {"config", "sweeps.points", "sweeps.launch", "training.loop.words", "training.loop.sweeps"}
"""The only files that know Hydra."""
COMPOSES = {"app", "cli", "pipelines", "sweeps", "__main__"}
"""Who may name a pipeline."""


def files(*folders):
    return sorted(f for folder in folders for f in (ROOT / folder).rglob("*.py") if "__pycache__" not in f.parts)


def module(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(f): f for f in files("spectrogrand")}


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path, top_only=False):
    """Absolute names of what a file imports, `from a import b` as a.b where that is a module of ours."""
    home = module(path).split(".")
    package = home if path.name == "__init__.py" else home[:-1]
    found = set()
    for node in _at_the_top(tree(path)) if top_only else ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            found |= {f"{name}.{a.name}" if f"{name}.{a.name}" in MODULES else name for a in node.names}
    return found


def _at_the_top(node):
    """Statements that run on import; what stands under `if TYPE_CHECKING` does not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _at_the_top(child)


def ours(path, **options):
    """What a file imports of the package: errors, media.video, scorers.novelty, ..."""
    names = {n for n in imports(path, **options) if n.split(".")[0] == "spectrogrand"}
    return {n.removeprefix("spectrogrand").strip(".") for n in names} - {""}


def named(paths):
    return [pytest.param(p, id=str(p.relative_to(ROOT))) for p in paths]


EVERY = named(files("spectrogrand"))
PLUGINS = named(f for f in files("spectrogrand/plugins") if f.name != "__init__.py")


def room(name):
    return name.split(".")[0]


def test_every_room_has_its_floor():
    rooms = {room(m.removeprefix("spectrogrand").strip(".")) for m in MODULES} - {""}
    assert rooms == set(FLOOR), "a new room is given a floor here, and a line of its own in its __init__"


@pytest.mark.parametrize("path", EVERY)
def test_no_import_goes_up(path):
    """All imports count: at the top, inside functions, under TYPE_CHECKING."""
    home = module(path).removeprefix("spectrogrand").strip(".")
    for name in ours(path):
        own = not home or room(name) == room(home)
        assert own or FLOOR[room(name)] < FLOOR[room(home)], f"{home} imports {name}, which stands beside or above it"


def test_no_circles_among_all_imports():
    edges = {m: {f"spectrogrand.{n}" for n in ours(f)} & set(MODULES) - {m} for m, f in MODULES.items()}
    done, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            path.append(name)
            for other in sorted(edges[name]):
                visit(other)
            done.add(path.pop())

    for name in sorted(edges):
        visit(name)


@pytest.mark.parametrize("path", PLUGINS)
def test_plugins_do_not_know_each_other(path):
    for name in ours(path):
        helper = name.rpartition(".")[2].startswith("_")
        assert room(name) != "plugins" or helper, (
            f"{name} is a plug-in: build it through the registry, or move what is shared"
        )


@pytest.mark.parametrize("path", EVERY)
def test_few_files_know_hydra_and_pipelines(path):
    home = module(path).removeprefix("spectrogrand").strip(".")
    used = {n.split(".")[0] for n in imports(path)}
    assert home in HYDRA or not used & {"hydra", "omegaconf"}, f"only {', '.join(HYDRA)} know Hydra"
    if room(home) not in COMPOSES:
        assert not any(room(n) == "pipelines" for n in ours(path)), "pipelines compose; nothing below knows them"
    assert not used & {"train", "benchmarks", "tests", "conf"}, "the package never looks back"


@pytest.mark.parametrize("path", EVERY)
def test_heavy_modules_are_imported_where_they_are_used(path):
    used = {n.split(".")[0] for n in imports(path, top_only=True)}
    if "training" in path.parts:  # nothing light imports it, and its tasks are classes of torch's and lightning's
        return
    assert not used & HEAVY, f"import {used & HEAVY} inside the functions that need them"


@pytest.mark.parametrize("path", named(files("spectrogrand", "train", "benchmarks")))
def test_files_say_what_they_are_for_and_fit_a_screen_or_two(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST, f"{len(text.splitlines())} lines: is it one thing?"
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "the first statement says what the file is for"


@pytest.mark.parametrize("path", named(files("spectrogrand", "train", "benchmarks", "conf")))
def test_nothing_unpickles(path):
    banned = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    if path.name in ("pickles.py", "unpickling.py"):  # the one reader of published pickles, and the machine below it
        machine = path.name == "pickles.py"
        used = {
            n.attr for n in ast.walk(tree(path)) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "pickle"
        }
        own = {"_Unpickler", "_Unframer", "_Stop"} if machine else set()
        assert {name for name in used if not name.isupper() and not name[:-1].isupper()} <= {"UnpicklingError"} | own
        classes = [c for c in ast.walk(tree(path)) if isinstance(c, ast.ClassDef)]
        bases = [c for c in classes if "pickle._Unpickler" in map(ast.unparse, c.bases)]
        assert len(bases) == machine, "it is only ever a base class"
        for c in bases:
            assert "find_class" in [f.name for f in c.body if isinstance(f, ast.FunctionDef)], "or it would import"
        uses = [ast.unparse(n) for n in ast.walk(tree(path)) if isinstance(n, ast.Attribute)]
        assert uses.count("pickle._Unpickler") == 2 * machine and uses.count("pickle._Unpickler.dispatch") == machine
        banned -= {"pickle"}
    assert not {n.split(".")[0] for n in imports(path)} & banned
    for call in (n for n in ast.walk(tree(path)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)):
        given = {k.arg: k.value for k in call.keywords}
        if ast.unparse(call.func) == "torch.load":
            assert _is(given.get("weights_only"), True), f"line {call.lineno}: torch.load without weights_only=True"
        if call.func.attr in ("load", "load_from_checkpoint", "from_pretrained", "download"):
            assert not _is(given.get("allow_pickle"), True) and not _is(given.get("weights_only"), False)
            assert not _is(given.get("trust_remote_code"), True), f"line {call.lineno}: runs a stranger's code"


def test_no_room_is_a_heap():
    modules = {}
    for f in files("spectrogrand"):
        if f.name != "__init__.py":
            modules.setdefault(f.parent.relative_to(PACKAGE).as_posix(), []).append(f.stem)
    for room, names in modules.items():
        most = MOST_IN_ROOT if room == "." else MOST
        assert len(names) <= most, f"{room} holds {len(names)} modules: {', '.join(names)}"


def _is(node, value):
    return isinstance(node, ast.Constant) and node.value is value


def test_no_target_in_code_or_configs():
    texts = files("spectrogrand", "train", "conf") + sorted((ROOT / "conf").rglob("*.yaml"))
    assert len(texts) > 40
    assert not [
        f for f in texts if re.search(r"\b_target_\b|\b_partial_\b|instantiate\(", f.read_text(encoding="utf-8"))
    ]


def _loaded_after(code):
    probe = (
        f"import sys, json, warnings; warnings.simplefilter('ignore')\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr[-2000:]
    return {m.split(".")[0] for m in json.loads(run.stdout.splitlines()[-1])}


def test_importing_the_package_loads_nothing_heavy():
    assert not _loaded_after("import spectrogrand; dir(spectrogrand)") & (HEAVY | {"numpy", "hydra", "omegaconf"})


def test_listing_names_imports_no_plugin():
    code = (
        "from spectrogrand.registry import names; [names(k) for k in ('scorers', 'gates', 'generators', 'embedders')]"
    )
    code += "\nassert not [m for m in sys.modules if m.startswith('spectrogrand.plugins.scorers.')]"
    assert not _loaded_after(code) & HEAVY


def test_importing_every_plugin_loads_no_model_library():
    code = "import importlib\n" + "\n".join(f"importlib.import_module({module(p.values[0])!r})" for p in PLUGINS)
    assert not _loaded_after(code) & HEAVY


def test_building_every_plugin_that_needs_no_settings_loads_no_model_library():
    code = """
from spectrogrand import registry
from spectrogrand.errors import ConfigError
for kind in registry.KINDS:
    for name in registry.names(kind):
        try:
            registry.build(kind, name)
        except ConfigError as error:
            assert "needs" in str(error), error
"""
    assert not _loaded_after(code) & MODELS
