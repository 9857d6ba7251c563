"""Where the WSGI callable of an application is, read from its source without importing it; pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.core.errors import SlipwayError

#: What a WSGI callable is usually called. Where a module has several, the first of these is it: an
#: `application` next to an `app` is that app with something around it.
NAMES = ("application", "app")
#: Functions that make one.
FACTORIES = ("create_app", "make_app")
#: Usual file names, best first. A file called wsgi.py is meant to be found; other names count only
#: where there is none.
PATTERNS = (("wsgi.py",), ("*/wsgi.py",), ("app.py", "main.py"), ("*/__init__.py",))
NOT_THE_APPLICATION = ("test", "tests", "docs", "examples")


def find(folder: Path, *, installed: bool = False) -> str:
    """The WSGI callable of an application as `module:name` or `module:create_app()`.

    Args:
        folder: the application's.
        installed: whether it will be installed as a package, so that `src/` counts as well.

    Raises:
        SlipwayError: there is none, or there are several; the message lists what was looked at.
    """
    roots = [folder, folder / "src"] if installed else [folder]
    looked_at: list[str] = []
    for patterns in PATTERNS:
        found = []
        for root in roots:
            for path in _files(root, patterns):
                name, remark = _callable_in(path)
                looked_at.append(f"{path.relative_to(folder)} ({remark})")
                if name:
                    found.append(f"{_module_of(path.relative_to(root))}:{name}")
        if len(found) == 1:
            return found[0]
        if found:
            raise SlipwayError(
                f"slipway:appModule is empty, and {folder} has several WSGI callables:"
                f" {', '.join(found)}. Set slipway:appModule to the one that is meant"
            )
    looked_in = ", ".join(pattern for patterns in PATTERNS for pattern in patterns)
    names = ", ".join([*NAMES, *(f"{name}()" for name in FACTORIES)])
    files = "; ".join(looked_at) or "there is none of these files"
    raise SlipwayError(
        f"slipway:appModule is empty, and {folder} has no WSGI callable in the usual places."
        f" Looked for {names} in {looked_in}: {files}."
        " Set slipway:appModule to module:name, such as shop.web:app"
    )


def _files(root: Path, patterns: Sequence[str]) -> Iterator[Path]:
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            inside = path.relative_to(root).parts[:-1]
            if path.is_file() and all(
                part.isidentifier() and part not in NOT_THE_APPLICATION for part in inside
            ):
                yield path


def _module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _callable_in(path: Path) -> tuple[str | None, str]:
    """The callable of a module, and what to say of it."""
    try:
        defined = dict(_defined(ast.parse(path.read_bytes()).body))
    except (SyntaxError, ValueError, OSError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        return None, f"cannot be read{line}: {error.args[0]}"
    for name in NAMES:
        if name in defined:
            return name, "has it"
    for name in FACTORIES:
        if name not in defined:
            continue
        if _needs_arguments(defined[name]):
            return None, f"{name} needs arguments"
        return f"{name}()", "has it"
    return None, "has none of them"


def _defined(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    """The names that a module's code binds, with the statement; `if`, `try` and `with` count."""
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, statement
            case ast.Assign(targets=targets):
                for target in targets:
                    yield from ((name, statement) for name in _names_in(target))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                yield name, statement
            # `import app` binds a module, so it does not count.
            case ast.ImportFrom(names=names):
                yield from ((each.asname or each.name, statement) for each in names)
            case ast.If() | ast.Try() | ast.With():
                for part in ("body", "orelse", "handlers", "finalbody"):
                    inner = getattr(statement, part, [])
                    for each in inner:
                        yield from _defined(
                            each.body if isinstance(each, ast.ExceptHandler) else [each]
                        )


def _names_in(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _names_in(element)


def _needs_arguments(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.FunctionDef):
        return False  # imported or assigned: nothing is known of it
    wanted = statement.args
    positional = len(wanted.posonlyargs) + len(wanted.args) - len(wanted.defaults)
    return positional > 0 or None in wanted.kw_defaults
