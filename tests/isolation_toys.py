"""Plug-ins for test_isolation.py that print, raise, hang and die; a worker imports this module in its own process."""

from __future__ import annotations

import os
import signal
import sys
import time

import numpy as np

from spectrogrand import Audio, Card, Gate, register
from spectrogrand.errors import InvalidValue


@register("isolated_toy")
class Toy(Gate):
    """Does what it is told."""

    card = Card("a toy for tests")
    artefact = Audio

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor
        self.calls = 0

    def check(self, batch):
        return [None for _ in batch]

    def echo(self, value):
        return value

    def count(self):
        self.calls += 1
        return self.calls

    def pid(self):
        return os.getpid()

    def louder(self, audio):
        return Audio(audio.samples * np.float32(self.factor), audio.rate, audio.plan)

    def chatter(self):
        sys.stdout.write("noise from Python\n")
        sys.stdout.flush()
        os.write(1, b"\x00\x01noise from C on the standard output\n" * 1000)
        sys.stderr.write("noise on the standard error\n")
        return "clean"

    def refuse(self):
        raise InvalidValue("the toy is broken: buy another")

    def blunder(self):
        raise ZeroDivisionError("one\nof many lines")

    def unsendable(self):
        return object()

    def abort(self):
        sys.stdout.write("about to abort\n")
        sys.stdout.flush()
        os.abort()

    def kill(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def leave(self):
        os._exit(7)

    def sleep(self, seconds):
        time.sleep(seconds)
        return "awake"

    def modules(self):
        return sorted({m.partition(".")[0] for m in sys.modules})
