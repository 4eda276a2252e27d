"""The headers in tests/data/headers: real sizes, written short.

Each JSON file leads from a title to one LoRA file: `tensors` (a name, or many at once, to their shape),
`metadata`, `file` (its name), `base_model` (what the page it came from says) and what is `expect`ed of its
identity. In a name `{0-39}` stands for every number of the range and `{q|k}` for each of the words, so that
one line can be the eighty tensors of forty blocks.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from catalog.header import Header
from catalog.identify import Identity, identify
from tests.unit.catalog.builders import header_of

FOLDER = Path(__file__).parents[2] / "data" / "headers"
_CHOICE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Described:
    """One file, described rather than stored."""

    title: str
    tensors: dict[str, list[int]]
    expect: dict[str, Any]
    metadata: dict[str, str] = field(default_factory=dict)
    file: str = "some.safetensors"
    base_model: str = ""

    @cached_property
    def header(self) -> Header:
        shapes = {name: tuple(shape) for names, shape in self.tensors.items() for name in expanded(names)}
        return header_of(shapes, self.metadata, "BF16")

    @cached_property
    def identity(self) -> Identity:
        return identify(self.header, self.file, base_model=self.base_model)


def described(file: str) -> list[Described]:
    """The files that one JSON file describes."""
    cases = json.loads((FOLDER / file).read_text("utf-8"))
    return [Described(title, **case) for title, case in cases.items()]


def expanded(names: str) -> Iterator[str]:
    """Every name that one with ranges and choices stands for."""
    match = _CHOICE.search(names)
    if match is None:
        yield names
        return
    first, dash, last = match[1].partition("-")
    is_range = dash and first.isdigit() and last.isdigit()
    choices = map(str, range(int(first), int(last) + 1)) if is_range else match[1].split("|")
    for choice in choices:
        yield from expanded(names[: match.start()] + choice + names[match.end() :])
