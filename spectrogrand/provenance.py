"""What a result depended on: a plug-in's settings, its own source code, the data it ships with, and its weights.

A step's key holds the fingerprint of each plug-in that took part, so that changing one line of a stylizer makes new videos and
nothing else. The source hash covers the plug-in's file, every file of the same package that it imports, directly or not, and
every file in `spectrogrand/data` whose name appears in them.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from .interfaces import Component, CreativityScorer
from .registry import SLOTS, build, names_a_part

DATA = Path(__file__).parent / "data"
# Neither the contracts nor what a person is shown (bars) changes what a plug-in computes; hashing them
# would void every store at each edit.
CONTRACTS = {f"spectrogrand.{m}" for m in ("errors", "interfaces", "registry", "progress")}


def fingerprint(part: Component) -> dict[str, Any]:
    """Plain data that changes whenever the plug-in's output may: for step keys and `run.json`.

    >>> part = build("scorers", "danceability")
    >>> sorted(fingerprint(part))
    ['identity', 'kind', 'parts', 'reference', 'settings', 'source']
    """
    reference = part.reference() if isinstance(part, CreativityScorer) else None
    return {
        "kind": part.kind,
        "settings": dict(part.settings),
        "identity": dict(part.identity()),
        "source": source_hash(type(part)),
        "reference": reference.sha256 if reference else None,
        "parts": {k: fingerprint(build(SLOTS[k], v)) for k, v in part.settings.items() if names_a_part(k, v)},
    }


def source_hash(cls: type) -> str:
    """sha256 over the source of the class's module and what it imports from its own package."""
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    if not file:  # a class typed into a notebook or a console has no file; its bytecode stands in
        code = [getattr(v, "__code__", None) for v in vars(cls).values()]
        return hashlib.sha256(b"".join(c.co_code + repr(c.co_consts).encode() for c in code if c)).hexdigest()
    return _module_hash(cls.__module__, file)


def code_hash(module: str) -> str:
    """The same over a module of this package that draws without being a plug-in: the spectrogram's pictures, the encoder.

    >>> code_hash("spectrogrand.audio.spectrogram") == code_hash("spectrogrand.media.encode")
    False
    """
    path = _file_of(module)
    assert path is not None, module
    return _module_hash(module, str(path))


@lru_cache
def _module_hash(name: str, file: str) -> str:
    found = {name: Path(file)}
    todo, data = [name], set()
    while todo:
        here = todo.pop()
        tree = ast.parse(found[here].read_bytes())
        for imported in _imports(tree, here, found[here].name == "__init__.py"):
            if imported not in found and imported not in CONTRACTS and imported.split(".")[0] == name.split(".")[0]:
                path = _file_of(imported)
                if path:
                    found[imported] = path
                    todo.append(imported)
        texts = (n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        data |= {t for t in texts if 0 < len(t) < 80 and "/" not in t and "." in t.strip(".") and (DATA / t).is_file()}
    total = hashlib.sha256()
    for _, path in sorted(found.items()):
        total.update(path.read_bytes())
    for extra in sorted(data):
        total.update((DATA / extra).read_bytes())
    return total.hexdigest()


def _imports(tree: ast.AST, module: str, is_package: bool) -> set[str]:
    """Absolute names of everything the module imports; `from .a import b` may mean module a.b, so both are given."""
    package = module if is_package else module.rpartition(".")[0]
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = (
                importlib.util.resolve_name("." * node.level + (node.module or ""), package)
                if node.level
                else node.module
            )
            names |= {str(base)} | {f"{base}.{a.name}" for a in node.names}
    return names


def _file_of(module: str) -> Path | None:
    """The source file of a module of an imported package, without importing it."""
    top = sys.modules.get(module.split(".")[0])
    if top is None or not getattr(top, "__path__", None):
        return None
    base = Path(next(iter(top.__path__))).joinpath(*module.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None
