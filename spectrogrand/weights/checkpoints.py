"""Hub checkpoints into torch: safetensors only, every key and shape accounted for, what is torn or strange named in one line."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, require
from ..files import parse_json
from .files import LISTED, sha256_of
from .hub import class_of, left_out, variant

LIBRARIES = ("diffusers", "transformers")
"""Whose classes an index may name; nothing else is ever imported because a file says so."""


def pipeline(
    folder: Path, dtype: str, *, part: str, auto: str | None = None, instead: Mapping[str, str] | None = None,
    shared: Mapping[str, Any] | None = None, expected: str | None = None, quantised: Mapping[str, Any] | None = None,
) -> Any:  # fmt: skip
    """A diffusers pipeline from a folder in the hub's layout, each model in it checked as `model` does.

    Args:
        folder: holds model_index.json.
        dtype: "float32", "bfloat16" or "float16".
        part: the plug-in's name, for messages.
        auto: a diffusers class to load through, such as "AutoPipelineForText2Image"; None takes the one that the index names.
        instead: component -> class, where the index names one that does not do (AudioLDM2's GPT2Model).
        shared: component -> loaded model, where another pipeline holds the same one.
        expected: the pipeline's class; None takes any.
        quantised: component -> what its class takes as `quantization_config`.

    Raises:
        InvalidValue: torn files, keys or shapes of another architecture, or an index that names other libraries' classes.
        MissingExtra: diffusers is not installed.
    """
    for library in LIBRARIES:
        require(library, "models", part)
    import torch

    check_class(folder, expected, part=part)
    index = parse_json((folder / "model_index.json").read_text("utf-8"))
    made: dict[str, Any] = dict(shared or {})
    for name, (library, word) in parts_of(index).items():
        if name in made:
            continue
        if left_out(index, name, folder):
            made[name] = None
            continue
        cls = component((instead or {}).get(name, word), library, f"{folder}/model_index.json")
        if issubclass(cls, torch.nn.Module):
            made[name] = model(cls, folder / name, dtype, part=part, quantised=(quantised or {}).get(name))
        elif cls.__name__ != word and name not in (instead or {}):  # the library would look for the old name
            with said(folder / name, part), quiet():
                made[name] = cls.from_pretrained(folder / name, local_files_only=True)
    home = _class(auto or index.get("_class_name", ""), f"{folder}/model_index.json")
    with said(folder, part), quiet():
        if made.get("safety_checker", ...) is None:
            made["requires_safety_checker"] = False
        loaded = home.from_pretrained(folder, **made, dtype=getattr(torch, dtype), local_files_only=True)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def read_index(folder: Path) -> dict[str, Any]:
    """A pipeline's index as plain data.

    Raises:
        InvalidValue: it is torn, or there is none.
    """
    with said(folder, "model_index.json"):
        return dict(parse_json((folder / "model_index.json").read_text("utf-8")))


def parts_of(index: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Component -> (library, class) of a pipeline's index; what it names as absent is left out.

    >>> parts_of({"_class_name": "X", "vae": ["diffusers", "AutoencoderKL"], "safety_checker": [None, None]})
    {'vae': ('diffusers', 'AutoencoderKL')}
    """
    pairs = {k: v for k, v in index.items() if isinstance(v, list) and len(v) == 2 and v[0] and v[1]}
    return {k: (str(v[0]), str(v[1])) for k, v in pairs.items()}


def check_parts(folder: Path, instead: Mapping[str, str] | None = None) -> None:
    """Check that every class which a pipeline's index names is there, before anything is made; no weights are read.

    Raises:
        InvalidValue: one is no class of the installed libraries.
    """
    index = parse_json((folder / "model_index.json").read_text("utf-8"))
    for name, (library, word) in parts_of(index).items():
        if not left_out(index, name, folder):
            component((instead or {}).get(name, word), library, f"{folder}/model_index.json")


def component(name: str, library: str, where: str) -> Any:
    """The class of a pipeline's component, found as diffusers does: in its library, or in one of diffusers' pipeline modules.

    Classes that were renamed are found by their old names: the feature extractors of pictures are image processors today.

    Raises:
        InvalidValue: there is none.
    """
    diffusers = importlib.import_module("diffusers")
    inside = getattr(diffusers.pipelines, library, None) if library.isidentifier() else None
    found = getattr(inside, name, None) if inside is not None and name.isidentifier() else None
    if isinstance(found, type):  # such as stable_diffusion's StableDiffusionSafetyChecker
        return found
    renamed = name.replace("FeatureExtractor", "ImageProcessor")
    for word in dict.fromkeys((name, renamed)):
        for home in LIBRARIES:
            found = getattr(importlib.import_module(home), word, None) if word.isidentifier() else None
            if isinstance(found, type):
                return found
    return _class(name, where)


def check_class(folder: Path, expected: str | None, *, part: str) -> None:
    """Check that a folder's index names the pipeline's class `expected`; None takes any.

    Raises:
        InvalidValue: it names another, or there is no index.
    """
    found = class_of(folder)
    if found is None or expected not in (None, found):
        held = f"a {found}" if found else "no pipeline"
        raise InvalidValue(
            f"{folder} holds {held}, {part} runs {expected or 'pipelines'}: get it with spectrogrand fetch {part}"
        )


def named(cls: str, where: str) -> Any:
    """The public class of diffusers or transformers that a file names.

    Raises:
        InvalidValue: they have none of that name.
    """
    return _class(cls, where)


def model(cls: Any, folder: Path, dtype: str, *, part: str, quantised: Any = None) -> Any:
    """One diffusers or transformers model from its folder, in `dtype`, ready to compute; safetensors only.

    Args:
        cls: its class.
        folder: holds config.json and the weights.
        dtype: "float32", "bfloat16" or "float16".
        part: the plug-in's name, for messages.
        quantised: what the class takes as `quantization_config`; None keeps the weights as they are.

    Raises:
        InvalidValue: a torn file (its sha256 is named), or keys or shapes of another architecture (they are named).
    """
    import torch

    whole(folder, part)
    # Building a model draws first values, which the file then replaces: the caller's generator must not notice.
    with said(folder, part), quiet(), torch.random.fork_rng(devices=[]):
        made, info = cls.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, output_loading_info=True,
            ignore_mismatched_sizes=quantised is None, dtype=getattr(torch, dtype), variant=variant(folder),
            **({} if quantised is None else {"quantization_config": quantised}),
        )  # fmt: skip
    shaped = [f"{key} is {tuple(got)}, not {tuple(own)}" for key, got, own in sorted(info.get("mismatched_keys") or [])]
    missing = sorted(set(info.get("missing_keys") or []) - {k.split(" ")[0] for k in shaped})
    strange = sorted(info.get("unexpected_keys") or [])
    problems = [
        f"{what}: {', '.join(found[:LISTED])}{f' and {len(found) - LISTED} more' if len(found) > LISTED else ''}"
        for what, found in (("missing", missing), ("other shapes", shaped), ("unknown", strange))
        if found
    ]
    if missing or shaped:
        raise InvalidValue(
            f"{folder} is no {cls.__name__} of this architecture; {'; '.join(problems)}: get it with spectrogrand fetch {part}"
        )
    if strange:
        warnings.warn(f"{part}: {folder} holds weights that {cls.__name__} does not use; {problems[0]}", stacklevel=2)
    return made.eval().requires_grad_(False)


def whole(folder: Path, part: str) -> None:
    """Check that every safetensors file in a folder can be opened: its header fits its length.

    Raises:
        InvalidValue: one cannot; its sha256 is named.
    """
    from safetensors import SafetensorError, safe_open

    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, "pt"):
                continue
        except (SafetensorError, OSError) as error:
            wanted = path.resolve().name if path.is_symlink() and len(path.resolve().name) == 64 else None
            hub = f", the hub's {wanted}" if wanted else ""
            raise InvalidValue(
                f"{path} is torn or no safetensors file ({_line(error)}; its sha256 is {sha256_of(path)}{hub}): "
                f"get it again with spectrogrand fetch {part}"
            ) from error


def _class(name: str, where: str) -> Any:
    """The public class of diffusers or transformers with this name."""
    for library in LIBRARIES:
        found = getattr(importlib.import_module(library), name, None) if name.isidentifier() else None
        if isinstance(found, type):
            return found
    raise InvalidValue(f"{where} names {name!r}, which is no class of {' or '.join(LIBRARIES)}: get the model again")


@contextmanager
def said(folder: Path, part: str) -> Iterator[None]:
    """What the libraries raise over a wrong folder, as one line."""
    try:
        yield
    except InvalidValue:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        if type(error).__name__ == "OutOfMemoryError":
            raise
        raise InvalidValue(f"{part} cannot read {folder} ({type(error).__name__}: {_line(error)})") from error


@contextmanager
def quiet() -> Iterator[None]:
    """No bars and no notes of the libraries' own; what matters of them is checked and said here."""
    import diffusers
    import transformers

    logs = [diffusers.utils.logging, transformers.utils.logging]
    levels = [log.get_verbosity() for log in logs]
    try:
        for log in logs:
            log.set_verbosity_error()
            log.disable_progress_bar()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.set_verbosity(level)
            log.enable_progress_bar()


def _line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]
