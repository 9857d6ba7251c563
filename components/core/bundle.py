"""A package of this project as one file: what a server gets of `host/releasectl`.

Python has one thing to read and to keep compiled there, and a half-delivered package is not
possible. The modules follow each other in the order in which they need each other, without the
imports among themselves; so each of their names is given once in the whole package.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

_FUTURE = "from __future__ import annotations"


@dataclass(frozen=True)
class _Module:
    """One of a package; to read it as Python takes long, so that is done once."""

    text: str

    @cached_property
    def statements(self) -> list[ast.stmt]:
        return ast.parse(self.text).body


@cache  # each web server gets the same
def program_text(source: Path) -> str:
    """What a server gets of a program: a file as it is, a package as one file.

    Raises:
        ValueError: two modules of the package give the same name, need each other in a circle, or
            are imported within a function.
    """
    if source.is_file():
        return source.read_text()
    modules = {path.stem: _Module(path.read_text()) for path in sorted(source.glob("*.py"))}
    about, main = modules.pop("__init__").text, modules.pop("__main__")
    _refuse_same_names(source.name, modules)
    _refuse_late_imports(source.name, modules)
    parts = [_without_header(modules[name]) for name in _in_order(source.name, modules)]
    header = f"#!/usr/bin/python3 -I\n{about.rstrip()}\n\n{_FUTURE}\n"
    return "\n\n".join([header, *parts, _without_header(main)])


def _in_order(package: str, modules: Mapping[str, _Module]) -> Iterator[str]:
    """Their names, each behind those that it needs."""
    needs = {name: set(_needed(module)) for name, module in modules.items()}
    done: set[str] = set()
    while len(done) < len(needs):
        ready = [name for name in sorted(needs) if name not in done and needs[name] <= done]
        if not ready:
            raise ValueError(f"{package}: a circle among {sorted(needs.keys() - done)}")
        yield from ready
        done.update(ready)


def _needed(module: _Module) -> Iterator[str]:
    for node in module.statements:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            yield node.module


def _refuse_same_names(package: str, modules: Mapping[str, _Module]) -> None:
    given: dict[str, str] = {}
    for module_name, module in modules.items():
        for name in _given(module):
            if given.setdefault(name, module_name) != module_name:
                raise ValueError(f"{package}: {name} is both in {given[name]} and in {module_name}")


def _refuse_late_imports(package: str, modules: Mapping[str, _Module]) -> None:
    """A module of the package that is imported in a function would be looked for in vain."""
    for name, module in modules.items():
        for node in ast.walk(ast.parse(module.text)):
            late = isinstance(node, ast.ImportFrom) and node.level and node.col_offset
            if late:
                raise ValueError(f"{package}: {name} imports a module of its own in a function")


def _given(module: _Module) -> Iterator[str]:
    for node in module.statements:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                names = {each.id for each in targets if isinstance(each, ast.Name)}
                yield from names - {"TYPE_CHECKING"}
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def _without_header(module: _Module) -> str:
    """A module without its docstring and what it imports of its own package."""
    lines = module.text.splitlines()
    left_out: set[int] = set()
    for number, node in enumerate(module.statements):
        docstring = number == 0 and isinstance(node, ast.Expr)
        own = isinstance(node, ast.ImportFrom) and (node.level == 1 or node.module == "__future__")
        if docstring or own:
            left_out |= set(range(node.lineno - 1, node.end_lineno or node.lineno))
    kept = "\n".join(line for number, line in enumerate(lines) if number not in left_out)
    return kept.strip("\n") + "\n"
