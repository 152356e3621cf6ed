"""Nothing phones home: what libraries would send or keep about the user is off before any of them is loaded.

onnxruntime's official builds report to their maker by default, keep a lasting identifier and a database in the user's cache and
look up names on the web as soon as they are imported. Only the environment stops that, and only before the import: its
`disable_telemetry_events()` comes too late. Importing this package calls `silence`, so that workers, training scripts and tests
are covered, and processes that they start inherit it.
"""

from __future__ import annotations

import os
from typing import Any

SILENT = {
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Variables that the libraries read, and the values at which they are silent."""


def silence() -> None:
    """Set the variables of `SILENT` for this process and those that it starts, whatever they were before.

    >>> silence()
    >>> os.environ["ORT_DISABLE_TELEMETRY"]
    '1'
    """
    os.environ.update(SILENT)


def onnxruntime() -> Any:
    """The module onnxruntime, imported in silence: the only way in which this project loads it.

    Raises:
        ImportError: it is not installed.
    """
    silence()
    import onnxruntime as loaded

    return loaded
