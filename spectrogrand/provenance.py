"""What a result depended on: a plug-in's settings, the source of all that it reaches, the data it ships with, its weights.

A step's key holds the fingerprint of each plug-in and the source of each function that took part, so that changing one line
of a stylizer makes new videos and nothing else. The source of a thing covers the file that defines it, every file of the
same package that this one imports, directly or not, and every file in `spectrogrand/data` whose name appears in them. A name
that an `__init__` passes on is followed to the file it comes from, so that a neighbour's edit voids nothing.

A class typed into a notebook, a console or a script from standard input has no file: its bytecode, the values it closes
over and everything of the user's that it names stand in. What cannot be told apart that way is never found again: it gets a
key of its own each time, with a warning.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import json
import os
import sys
import sysconfig
import types
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from .interfaces import Component, CreativityScorer
from .registry import inner

DATA = Path(__file__).parent / "data"
# Neither the contracts nor what a person is shown (bars) changes what a plug-in computes; hashing them
# would void every store at each edit.
CONTRACTS = {f"spectrogrand.{m}" for m in ("errors", "interfaces", "registry", "progress")}


class Untraceable(Exception):
    """Something that a key would have to hold and that cannot be told apart from another: an open file, a live object."""


def fingerprint(part: Component) -> dict[str, Any]:
    """Plain data that changes whenever the plug-in's output may: for step keys and `run.json`.

    >>> from spectrogrand.registry import build
    >>> sorted(fingerprint(build("scorers", "danceability")))
    ['identity', 'kind', 'parts', 'reference', 'settings', 'source']
    """
    reference = part.reference() if isinstance(part, CreativityScorer) else None
    return {
        "kind": part.kind,
        "settings": dict(part.settings),
        "identity": dict(part.identity()),
        "source": source_hash(type(part)),
        "reference": reference.sha256 if reference else None,
        "parts": {k: fingerprint(held) for k in part.parts if (held := inner(part, k)) is not None},
    }


def source_hash(thing: Callable[..., Any]) -> str:
    """sha256 over the source of a class or a function and of all that it reaches in its own package.

    Args:
        thing: a class, a function, a method of a class, or a `functools.partial` of one.

    >>> from spectrogrand.types import Image, Scene
    >>> source_hash(Scene) == source_hash(Image.resized), source_hash(Scene) == source_hash(fingerprint)
    (True, False)
    """
    try:
        return hashlib.sha256(json.dumps(_describe(thing, set()), sort_keys=True).encode()).hexdigest()
    except Untraceable as error:
        name = getattr(thing, "__qualname__", repr(thing))
        warnings.warn(f"{name} is made anew each time and never found again: {error}", stacklevel=2)
        return f"untraceable {uuid.uuid4().hex}"


# -- what has a file: the file, and the files it reaches ---------------------------------------------------------------


@lru_cache
def _module_hash(name: str, file: str) -> str:
    found = {name: Path(file)}
    todo, data = [name], set()
    while todo:
        here = todo.pop()
        said = _said(found[here].read_bytes())
        for imported, path in _reached(said, here, found[here]):
            if imported not in found and imported not in CONTRACTS:
                found[imported] = path
                todo.append(imported)
        data |= {text for text in said.texts if (DATA / text).is_file()}
    total = hashlib.sha256()
    for _, path in sorted(found.items()):
        total.update(path.read_bytes())
    for extra in sorted(data):
        total.update((DATA / extra).read_bytes())
    return total.hexdigest()


@dataclass(frozen=True)
class _Said:
    """What a source file says of others: imports as (level, module, name, bound), attributes by the name they are taken of, and
    texts that may name a file of data."""

    imports: tuple[tuple[int, str, str | None, str], ...]
    attributes: Mapping[str, set[str]]
    texts: frozenset[str]


@lru_cache(maxsize=4096)
def _said(source: bytes) -> _Said:
    """Read a source once, by its bytes: most files are reached from many plug-ins."""
    imports: list[tuple[int, str, str | None, str]] = []
    attributes: dict[str, set[str]] = {}
    texts = set()
    nodes: list[ast.AST] = [ast.parse(source)]
    for node in nodes:  # breadth first, as `ast.walk`, in a third of its time
        if isinstance(node, ast.Constant):
            text = node.value
            if isinstance(text, str) and 0 < len(text) < 80 and "/" not in text and "." in text.strip("."):
                texts.add(text)
            continue
        if isinstance(node, ast.Name):
            continue
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            attributes.setdefault(node.value.id, set()).add(node.attr)
            continue
        if isinstance(node, ast.Import):
            imports += [(0, a.name, None, a.asname or a.name) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports += [(node.level, node.module or "", a.name, a.asname or a.name) for a in node.names]
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                nodes += [one for one in value if isinstance(one, ast.AST)]
            elif isinstance(value, ast.AST) and value._fields:
                nodes.append(value)
    return _Said(tuple(imports), attributes, frozenset(texts))


def _reached(said: _Said, module: str, file: Path) -> Iterator[tuple[str, Path]]:
    """(module, file) of everything of the same package, or of the same folder of a user's scripts, that a file imports."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for level, base, name, bound in said.imports:
        if level:
            base = importlib.util.resolve_name("." * level + base, package)
        yield from _homes(base, name, said.attributes.get(bound, set()), module, file)


def _homes(base: str, name: str | None, used: set[str], module: str, file: Path) -> Iterator[tuple[str, Path]]:
    """Where an imported name lives: of a package, only the files behind the attributes of it that are used."""
    whole = f"{base}.{name}" if name else base
    path = _file_of(whole, module, file)
    if path is None and name:
        whole, path = _followed(base, name, module, file)
    if path is None:
        return
    if path.name == "__init__.py" and used:
        for attribute in sorted(used):
            home, its = _followed(whole, attribute, module, file)
            if its is not None:
                yield home, its
    else:
        yield whole, path


def _followed(base: str, name: str, module: str, file: Path) -> tuple[str, Path | None]:
    """The module that `from base import name` ends in, through every `__init__` that passes the name on."""
    inside = f"{base}.{name}"
    path = _file_of(inside, module, file)
    if path is not None:
        return inside, path
    path = _file_of(base, module, file)
    if path is None or path.name != "__init__.py":
        return base, path
    for level, source, imported, bound in _said(path.read_bytes()).imports:
        if imported is not None and bound == name:
            if level:
                source = importlib.util.resolve_name("." * level + source, base)
            return _followed(source, imported, base, path)
    return base, path


def _file_of(module: str, importer: str, file: Path) -> Path | None:
    """The source file of a module of the importer's package, or of the user's own folder of scripts; nothing is imported."""
    top = module.split(".")[0]
    if not top:
        return None
    if top == importer.split(".")[0]:
        roots = [os.fspath(p) for p in getattr(sys.modules.get(top), "__path__", [])]
    elif "." in importer or file.name == "__init__.py":  # of another package
        return None
    else:  # beside a script
        folder = file.resolve().parent
        roots = [] if _installed(folder) else [os.fspath(folder / top)]
    for root in roots:
        base = os.path.join(root, *module.split(".")[1:])
        for path in (base + ".py", os.path.join(base, "__init__.py")):
            if os.path.isfile(path):
                return Path(path)
    return None


@lru_cache
def _installed(folder: Path) -> bool:
    """Whether a folder belongs to an installation of Python or of packages, and not to somebody's own code."""
    homes = {sysconfig.get_path(k) for k in ("stdlib", "platstdlib", "purelib", "platlib")}
    return any(folder.is_relative_to(Path(h).resolve()) for h in homes if h) or "site-packages" in folder.parts


# -- what has none: bytecode, and the values it names ------------------------------------------------------------------


def _describe(thing: Any, seen: set[int]) -> Any:
    """Plain data that stands for a value in a key; equal for equal values, in every process.

    Raises:
        Untraceable: no such data can be made of it.
    """
    if thing is None or isinstance(thing, bool | int | float | complex | str | bytes):
        return [type(thing).__name__, repr(thing)]
    if thing is Ellipsis or thing is NotImplemented:
        return repr(thing)
    if id(thing) in seen:
        return "above"
    seen = seen | {id(thing)}
    if isinstance(thing, types.ModuleType):
        return _described_module(thing)
    if isinstance(thing, types.FunctionType | type):
        return _described_definition(thing, seen)
    if isinstance(thing, types.CodeType):
        consts = [_describe(c, seen) for c in thing.co_consts]
        return [
            "code",
            thing.co_code.hex(),
            list(thing.co_names),
            list(thing.co_varnames),
            list(thing.co_freevars),
            consts,
        ]
    if isinstance(thing, staticmethod | classmethod | types.MethodType):
        held = [_describe(thing.__self__, seen)] if isinstance(thing, types.MethodType) else []
        return [type(thing).__name__, _describe(thing.__func__, seen), *held]
    if isinstance(thing, property):
        return ["property", *(_describe(f, seen) for f in (thing.fget, thing.fset, thing.fdel))]
    if isinstance(thing, partial):
        return ["partial", _describe(thing.func, seen), _describe(thing.args, seen), _describe(thing.keywords, seen)]
    if isinstance(thing, tuple | list):
        return [type(thing).__name__, *(_describe(v, seen) for v in thing)]
    if isinstance(thing, set | frozenset):
        return ["set", *sorted(json.dumps(_describe(v, seen)) for v in thing)]
    if isinstance(thing, Mapping):
        return ["mapping", *sorted([json.dumps(_describe(k, seen)), _describe(v, seen)] for k, v in thing.items())]
    if isinstance(thing, types.BuiltinFunctionType | types.MethodDescriptorType | types.WrapperDescriptorType):
        return [str(getattr(thing, "__module__", "")), thing.__qualname__]
    return _described_object(thing, seen)


def _described_module(module: types.ModuleType) -> Any:
    file = getattr(module, "__file__", None)
    if file and Path(file).is_file() and not _installed(Path(file).resolve().parent):
        return [module.__name__, _module_hash(module.__name__, str(file))]
    return [module.__name__, str(getattr(module, "__version__", ""))]


def _described_definition(thing: Any, seen: set[int]) -> Any:
    """A function or a class: by its file where it has one, else by its bytecode and what it names."""
    module = sys.modules.get(thing.__module__ or "")
    file = getattr(module, "__file__", None)
    if file and Path(file).is_file():
        of_package = "." in str(thing.__module__) or not _installed(Path(file).resolve().parent)
        source = _module_hash(thing.__module__, str(file)) if of_package else str(getattr(module, "__version__", ""))
        held = [_describe(c.cell_contents, seen) for c in getattr(thing, "__closure__", None) or ()]
        return [source, *held] if held else source
    if module is not None and thing.__module__ != "__main__" and getattr(module, "__spec__", None) is not None:
        return [thing.__module__, thing.__qualname__]  # built into the interpreter
    if isinstance(thing, type):
        skipped = {
            "__dict__",
            "__weakref__",
            "__doc__",
            "__module__",
            "__annotations__",
            "__firstlineno__",
            "_abc_impl",
        }
        own = {k: _describe(v, seen) for k, v in sorted(vars(thing).items()) if k not in skipped}
        return ["class", [_describe(b, seen) for b in thing.__bases__ if b is not object], own]
    named = {
        name: _describe(thing.__globals__[name], seen)
        for name in sorted(_global_names(thing.__code__))
        if name in thing.__globals__
    }
    closed = [_describe(c.cell_contents, seen) for c in thing.__closure__ or ()]
    given = _describe((thing.__defaults__, thing.__kwdefaults__), seen)
    return ["function", _describe(thing.__code__, seen), named, closed, given]


def _global_names(code: types.CodeType) -> set[str]:
    inside = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*(_global_names(c) for c in inside))


def _described_object(thing: Any, seen: set[int]) -> Any:
    import numpy as np

    if isinstance(thing, np.generic):
        return [str(thing.dtype), repr(thing.item())]
    if isinstance(thing, np.ndarray) and thing.dtype != object:
        raw = np.ascontiguousarray(thing)
        return ["array", str(raw.dtype), list(raw.shape), hashlib.sha256(raw.tobytes()).hexdigest()]
    if isinstance(thing, os.PathLike):
        return ["path", os.fspath(thing)]
    if hasattr(type(thing), "__dataclass_fields__") or type(thing).__module__ in (
        "fractions",
        "decimal",
        "datetime",
        "re",
    ):
        shown = vars(thing) if hasattr(thing, "__dict__") else repr(thing)
        return [_describe(type(thing), seen), _describe(shown, seen)]
    if inspect.isclass(type(thing)) and hasattr(thing, "__dict__") and not hasattr(thing, "fileno"):
        return [_describe(type(thing), seen), _describe(vars(thing), seen)]
    raise Untraceable(f"it holds a {type(thing).__module__}.{type(thing).__qualname__}, whose content no key can hold")
