"""Runs a plug-in in its own process: TensorFlow and essentia abort when they share one, and a crash stays there."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import IO, Any

from .. import errors
from ..errors import PluginError, SpectrograndError, WorkerDied
from ..registry import build
from .wire import pack, receive, send

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from spectrogrand.models.isolation import serve; serve(json.loads(sys.argv[2]))"
)


class Worker:
    """One plug-in in its own process, started at the first call, once; usable from several threads, one call at a time.

    The process is a fresh interpreter, whatever the caller's `__main__` is. What the plug-in prints, from Python or
    from C, never reaches the channel. It ends with `close`, the `with` block, the last reference, or its parent.

    Args:
        kind: "scorers", "embedders", ...
        config: the plug-in's name, or a mapping of `name` and settings, as for `registry.build`.
        timeout: seconds that a call may take, None for no limit.
        imports: modules to import first, for plug-ins that register themselves outside this package.
        environment: variables to set in the process, such as {"TF_CPP_MIN_LOG_LEVEL": "3"}.

    >>> import numpy as np
    >>> from spectrogrand.types import Audio
    >>> with Worker("gates", "silence") as worker:
    ...     worker.call("check", [Audio(np.zeros((1, 800), np.float32), 8000)])
    ['is silent (-inf dBFS)']
    """

    def __init__(
        self,
        kind: str,
        config: str | Mapping[str, Any],
        *,
        timeout: float | None = None,
        imports: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.config: dict[str, Any] = {"name": config} if isinstance(config, str) else dict(config)
        self.timeout = timeout
        self._imports = list(imports)
        self._environment = dict(environment or {})
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._noise: IO[bytes] | None = None
        self._end: weakref.finalize[..., Worker] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id, None while it is not running."""
        return self._process.pid if self._process else None

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the plug-in in its process and return its answer.

        Raises:
            SpectrograndError: what the plug-in raised, in the same class with the same message.
            PluginError: the plug-in raised anything else.
            WorkerDied: the process ended, or took longer than `timeout` and was ended; the next call starts another.
            InvalidValue: an argument or the answer cannot be sent between processes.
        """
        request = pack({"method": method, "arguments": list(arguments)})
        with self._lock:
            process = self._process or self._start()
            late = threading.Event()

            def expire() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(self.timeout, expire) if self.timeout is not None else None
            assert process.stdin is not None and process.stdout is not None  # both are pipes
            try:
                if timer:
                    timer.daemon = True
                    timer.start()
                send(process.stdin, request)
                answer = receive(process.stdout)
            except (EOFError, BrokenPipeError) as error:
                raise WorkerDied(self._last_words(process, method, late.is_set())) from error
            except BaseException:
                self._stop(kill=True)  # half a message is in the pipe: this process cannot be spoken to any more
                raise
            finally:
                if timer:
                    timer.cancel()
            if "error" in answer:
                self._raise(answer, method)
            return answer["value"]

    def close(self) -> None:
        """End the process; the next call starts another."""
        with self._lock:
            self._stop()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _title(self) -> str:
        return f"{self.kind} {self.config.get('name')!r}"

    def _start(self) -> subprocess.Popen[bytes]:
        job = {"kind": self.kind, "config": self.config, "imports": self._imports, "parent": os.getpid()}
        here = [p or os.getcwd() for p in sys.path]
        self._noise = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(here), json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._noise,
            env={**os.environ, **self._environment},
            start_new_session=True,  # Ctrl-C is the parent's to handle
        )
        self._end = weakref.finalize(self, _finish, self._process, True)
        return self._process

    def _stop(self, kill: bool = False) -> None:
        process, self._process = self._process, None
        if process is not None:
            if self._end is not None:
                self._end.detach()
            _finish(process, kill)
        if self._noise is not None:
            self._noise.close()
            self._noise = None

    def _last_words(self, process: subprocess.Popen[bytes], method: str, late: bool) -> str:
        try:
            code = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if late:
            how = f"gave no answer within {self.timeout:g} s and was ended"
        elif code < 0:
            how = f"was ended by {_signal_name(-code)}"
        else:
            how = f"ended with exit code {code}"
        said = ""
        if self._noise is not None:
            self._noise.seek(max(0, self._noise.seek(0, os.SEEK_END) - 4000))
            lines = [line.strip() for line in self._noise.read().decode(errors="replace").splitlines() if line.strip()]
            said = f"; the last it said: {lines[-1][:200]}" if lines else ""
        self._stop()
        return f"the process of {self._title} {how} in {method}(){said}"

    def _raise(self, answer: Mapping[str, str], method: str) -> None:
        known = getattr(errors, answer["error"], None)
        if isinstance(known, type) and issubclass(known, SpectrograndError):
            raise known(answer["message"])
        raise PluginError(f"{self._title} failed in {method}(): {answer['error']}: {answer['message']}")


def serve(job: Mapping[str, Any]) -> None:
    """The process's side: build the plug-in at the first request, answer requests until the parent closes the pipe."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # from here on, printing goes where warnings go
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(job["parent"],), daemon=True).start()
    part = None
    while True:
        try:
            request = receive(sys.stdin.buffer)
        except EOFError:
            return
        try:
            if part is None:
                import importlib

                for module in job["imports"]:
                    importlib.import_module(module)
                part = build(job["kind"], job["config"])
            answer = pack({"value": getattr(part, request["method"])(*request["arguments"])})
        except Exception as error:  # whatever it is, it belongs to the caller
            message = str(error).strip().splitlines()
            answer = pack({"error": type(error).__name__, "message": message[0] if message else ""})
        with contextlib.suppress(BrokenPipeError):  # the parent is gone: the end of its pipe says so next
            send(channel, answer)


def _watch(parent: int) -> None:
    """End this process when the parent is gone, in the middle of a computation too."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _finish(process: subprocess.Popen[bytes], kill: bool) -> None:
    """Close the pipes, which asks the process to end, and see that it does."""
    if kill:
        process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
