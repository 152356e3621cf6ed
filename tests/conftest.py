"""What every test shares: the real material, a browser, a seeded generator, calm threads, and no network.

The environment is set when this file is read, which is before any test module imports numpy or torch, in each worker
of pytest-xdist as well. The network guard holds for the whole process and so for doctests, too.
"""

from __future__ import annotations

import ipaddress
import logging
import logging.config
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CLOSE_HANDLERS = logging.config._clearExistingHandlers
"""What `logging.config.dictConfig` does to the handlers of the whole process: it closes them."""
# Libraries call it when they are imported (submitit) or set up (Hydra). absl's handler, where TensorFlow has been loaded, then
# closes the file that standard error was at that moment: the test runner's own. No handler is closed here.
logging.config._clearExistingHandlers = logging._handlers.clear

REPOSITORY = Path(__file__).resolve().parent.parent

# One thread a worker: two workers on two cores must not start four pools, and one thread keeps sums in one order.
for _name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA"):
    os.environ.setdefault(f"{_name}_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.update(
    MPLBACKEND="Agg",
    TF_CPP_MIN_LOG_LEVEL="3",
    TOKENIZERS_PARALLELISM="false",
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    GRADIO_ANALYTICS_ENABLED="False",
)
# Processes that a test starts have no guard of ours: a proxy where nobody listens stops what they ask of the web.
for _name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
    os.environ[_name] = "http://127.0.0.1:9"
for _name in ("no_proxy", "NO_PROXY"):
    os.environ[_name] = "localhost,127.0.0.1,::1"


class NetworkUsed(AssertionError):
    """A test reached for something outside this machine."""


def _is_local(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost", socket.gethostname()):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _guarded(method: str, address_position: int) -> Any:
    original = getattr(socket.socket, method)

    def call(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[address_position]
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
            raise NetworkUsed(f"socket.{method}({address!r}): tests use no network")
        return original(self, *arguments)

    return call


def _guarded_lookup(original: Any) -> Any:
    def call(host: Any, *arguments: Any, **options: Any) -> Any:
        if not _is_local(host):
            raise NetworkUsed(f"looking up {host!r}: tests use no network")
        return original(host, *arguments, **options)

    return call


def pytest_configure(config: pytest.Config) -> None:
    """Put the network guard up; it stays until the process ends."""
    if getattr(socket, "_spectrogrand_guard", False):
        return
    for method, position in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
        setattr(socket.socket, method, _guarded(method, position))
    socket.getaddrinfo = _guarded_lookup(socket.getaddrinfo)
    socket._spectrogrand_guard = True  # type: ignore[attr-defined]


def _missing(what: str, variable: str) -> None:
    """Skip, or fail where the caller has said that nothing may be skipped."""
    if os.environ.get(variable, "") not in ("", "0"):
        pytest.fail(f"{what}, and {variable} is set", pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real material: SPECTROGRAND_SHARED, or `shared` beside the repository."""
    folder = Path(os.environ.get("SPECTROGRAND_SHARED") or REPOSITORY.parent / "shared")
    if not (folder / "data").is_dir():
        _missing(f"no real material in {folder}", "REQUIRE_SHARED")
    return folder


@pytest.fixture(scope="session")
def browser() -> Path:
    """The Chromium that opens report pages: SPECTROGRAND_BROWSER, or the first one on the path."""
    names = [os.environ.get("SPECTROGRAND_BROWSER", ""), "chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        _missing("no Chromium on the path", "REQUIRE_BROWSER")
    return Path(str(found))


@pytest.fixture
def rng() -> Iterator[Any]:
    """A numpy generator with a fixed seed, fresh for every test."""
    import numpy as np

    yield np.random.default_rng(440)
