"""The machine that reads a pickle: the standard library's own in Python, with what it may hold, name, and cost bounded.

Nine bytes can make C's unpickler reserve gigabytes (a memo of four billion places), and five hundred can make it hash for
longer than anybody lives (a tuple of the same two tuples, sixty deep, as a key). Here each instruction is counted, keys are
flat, memos are dictionaries, and what is changed are lists, dictionaries and stand-ins, never a class or a function.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import InvalidValue

MOST_STEPS = 2_000_000
"""Instructions of one file's pickles together; a published module takes some ten thousand."""
COPIES = 8
"""How often its own length a file may take in memory: a list of pickled rows is there as bytes, numbers, rows and one table."""
VISIT, NESTED = 16, 256
"""What a value that is looked at costs, and a pickle inside a pickle, in instructions."""
LONGEST_LINE = 4096
_BUILT_IN = 1 << 60
"""Whole numbers at least this large (either way) share their hash with smaller ones, and are no keys."""


class Refused(InvalidValue):
    """A pickle that names or costs something which a file of tensors has no need of; nothing of it was run."""


class Budget:
    """What one file may cost, counted over all the pickles inside it.

    Args:
        size: of the file in bytes.
        name: what to call it in messages.
    """

    def __init__(self, size: int, name: str) -> None:
        self.name, self.size = name, size
        self._steps, self._bytes = MOST_STEPS, COPIES * size + (16 << 20)

    def step(self, cost: int = 1) -> None:
        """Count an instruction, or what takes as long as `cost` of them."""
        self._steps -= cost
        if self._steps < 0:
            raise Refused(f"{self.name} takes more than {MOST_STEPS:,} steps to read: no published file does")

    def spend(self, count: int) -> None:
        """Count bytes that are made of the file's: `COPIES` times its length."""
        self._bytes -= count
        if self._bytes < 0:
            raise Refused(
                f"{self.name} holds {self.size:,} bytes and asks for far more: no published file repeats itself"
            )


def check_key(key: Any, name: str, depth: int = 0) -> None:
    """Check that something can be hashed at once: text, a number, or a flat tuple of such.

    Raises:
        Refused: it is a set, or a tuple of many or deep things.
    """
    if isinstance(key, tuple) and depth < 3 and len(key) <= 16:
        for part in key:
            check_key(part, name, depth + 1)
    elif isinstance(key, tuple | frozenset) or (isinstance(key, int) and not -_BUILT_IN < key < _BUILT_IN):
        raise Refused(f"{name} has keys that no file of tensors has (nested, or of many digits)")


class Machine(pickle._Unpickler):
    """The instructions of a pickle, with bounds; `find_class` and `persistent_load` are its children's.

    Args:
        file: where it begins; left behind its end.
        budget: of the whole file.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file: io.BytesIO, budget: Budget, changeable: tuple[type, ...]) -> None:
        super().__init__(file)
        self.budget, self._changeable = budget, changeable
        self._source = file

    def find_class(self, module: str, name: str) -> Any:
        """Nothing may be named, unless a child says what stands in for it."""
        raise Refused(f"{self.budget.name} names {module[:80]}.{name[:80]}; nothing of it was run")

    def load(self) -> Any:
        """What the pickle holds."""
        machine: Any = self
        machine._unframer = pickle._Unframer(self._read, self._line)  # type: ignore[attr-defined]
        machine.read, machine.readinto = machine._unframer.read, machine._unframer.readinto
        machine.readline = machine._unframer.readline
        machine.metastack, machine.stack, machine.proto = [], [], 0
        machine.append = machine.stack.append
        try:
            while True:
                key = machine.read(1)
                if not key:
                    raise EOFError("it ends early")
                self.budget.step()
                instruction: Callable[[Any], None] | None = self.dispatch.get(key[0])
                if instruction is None:
                    raise pickle.UnpicklingError(f"an instruction that no file of tensors has, {key!r}")
                instruction(machine)
        except pickle._Stop as stop:  # type: ignore[attr-defined]
            return stop.value

    def _read(self, count: int) -> bytes:
        if count > self.budget.size:
            raise Refused(f"{self.budget.name} declares {count:,} bytes, more than it is long: it is torn")
        return self._source.read(count)

    def _line(self) -> bytes:
        line = self._source.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise Refused(
                f"{self.budget.name} has a line of more than {LONGEST_LINE} characters: no published file does"
            )
        return line


def _instruction(*codes: bytes) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    def note(function: Callable[[Any], None]) -> Callable[[Any], None]:
        for code in codes:
            Machine.dispatch[code[0]] = function
        return function

    return note


@_instruction(pickle.SETITEM)
def _setitem(machine: Any) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _put(machine, machine.stack[-1], [key, value])


@_instruction(pickle.SETITEMS)
def _setitems(machine: Any) -> None:
    items = machine.pop_mark()
    _put(machine, machine.stack[-1], items)


def _put(machine: Any, into: Any, items: list[Any]) -> None:
    if type(into) not in (dict, OrderedDict):
        raise Refused(f"{machine.budget.name} puts items into a {type(into).__name__}: only dictionaries take them")
    for key, value in zip(items[::2], items[1::2], strict=True):
        check_key(key, machine.budget.name)
        into[key] = value


@_instruction(pickle.APPEND)
def _append(machine: Any) -> None:
    value = machine.stack.pop()
    _extend(machine, machine.stack[-1], [value])


@_instruction(pickle.APPENDS)
def _appends(machine: Any) -> None:
    values = machine.pop_mark()
    _extend(machine, machine.stack[-1], values)


def _extend(machine: Any, into: Any, values: list[Any]) -> None:
    if type(into) is not list:
        raise Refused(f"{machine.budget.name} appends to a {type(into).__name__}: only lists take that")
    into.extend(values)


@_instruction(pickle.DICT)
def _dict(machine: Any) -> None:
    items, made = machine.pop_mark(), dict[Any, Any]()
    _put(machine, made, items)
    machine.append(made)


@_instruction(pickle.ADDITEMS)
def _additems(machine: Any) -> None:
    items = machine.pop_mark()
    if type(machine.stack[-1]) is not set:
        raise Refused(f"{machine.budget.name} adds to a {type(machine.stack[-1]).__name__}: only sets take that")
    machine.stack[-1].update(checked(items, machine.budget.name))


@_instruction(pickle.FROZENSET)
def _frozenset(machine: Any) -> None:
    items = machine.pop_mark()
    machine.append(frozenset(checked(items, machine.budget.name)))


@_instruction(pickle.BUILD)
def _build(machine: Any) -> None:
    state, built = machine.stack.pop(), machine.stack[-1]
    if isinstance(built, OrderedDict):
        return  # a state dict's versions of its modules, which no reader asks for
    if not isinstance(built, machine._changeable):
        raise Refused(
            f"{machine.budget.name} gives a state to a {type(built).__name__}: only modules and arrays have one"
        )
    built.__setstate__(state)


@_instruction(pickle.BYTEARRAY8)
def _bytearray(machine: Any) -> None:
    count = int.from_bytes(machine.read(8), "little")
    machine.append(bytearray(machine.read(min(count, machine.budget.size + 1))))


for _code in (
    pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.INST, pickle.OBJ, pickle.LONG4, pickle.NEXT_BUFFER,
    pickle.READONLY_BUFFER, pickle.PERSID,
):  # fmt: skip
    Machine.dispatch.pop(_code[0], None)


def checked(items: Any, name: str) -> list[Any]:
    """Items that may lie in a set."""
    found = list(items)
    for item in found:
        check_key(item, name)
    return found


def ordered(pairs: Any, name: str) -> OrderedDict[Any, Any]:
    """An ordered dictionary of pairs, or of a mapping."""
    made: OrderedDict[Any, Any] = OrderedDict()
    for pair in pairs.items() if isinstance(pairs, Mapping) else pairs:
        key, value = pair
        check_key(key, name)
        made[key] = value
    return made
