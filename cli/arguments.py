"""The words of a command: how they are declared, read and explained. Standard library only."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, NoReturn

from cli.console import fail
from cli.paths import environments

HELP = ("--help", "-h")
Check = Callable[[str, str], Any]
"""Gets an option and its word, which is empty where there is none; gives the value."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What scripts/<name> does: one module of cli/commands/ each."""

    description: str
    run: Callable[[argparse.Namespace], int | None]
    """Does it; an exit status, or None for 0."""
    examples: Sequence[str]
    arguments: Callable[[Arguments], object] = lambda _: None
    takes_stack: bool = True
    """Whether the first word is an environment, which is `local` where there is none."""
    not_a_stack: Sequence[str] = ()
    """First words that are no environment."""
    passes_on: str = ""
    """What other words are, which `run` finds in `options.rest`; empty where none are allowed."""
    statuses: str = ""
    """What its exit status tells beside success and failure."""
    failure: int = 1
    """The exit status after an error."""


class _Help(argparse.RawDescriptionHelpFormatter):
    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        # It may be left out only so that we can say what is missing.
        return (
            str(action.metavar)
            if isinstance(action, _Value)
            else super()._format_args(action, default_metavar)
        )


class Arguments(argparse.ArgumentParser):
    """The options and operands of one command."""

    def __init__(self, command: Command, name: str) -> None:
        super().__init__(
            prog=f"scripts/{name}",
            description=cleandoc(command.description),
            epilog=_epilog(command),
            formatter_class=_Help,
            allow_abbrev=False,
        )
        self._passes_on = command.passes_on
        if command.takes_stack:
            text = "an environment, that is a file Pulumi.<stack>.yaml (default: local)"
            self.add_argument("stack", metavar="[stack]", help=text)
        command.arguments(self)

    def flag(self, name: str, help: str) -> None:
        """An option without a value."""
        self.add_argument(name, action="store_true", help=help)

    def choice(self, name: str, help: str) -> None:
        """An option that may be said or denied; None where neither is."""
        action = argparse.BooleanOptionalAction
        self.add_argument(name, action=action, default=None, help=help)

    def value(
        self,
        name: str,
        metavar: str,
        help: str,
        check: Check,
        *,
        default: Any = None,
        repeats: bool = False,
    ) -> None:
        """An option with a value, which `check` takes or refuses."""
        self.add_argument(
            name, action=_Value, metavar=metavar, help=help, check=check, default=default,
            repeats=repeats,
        )  # fmt: skip

    def wait(self) -> None:
        """The option of every command that updates an environment."""
        self.flag(
            "--wait",
            "while another update of the environment runs, wait (else that is said, and nothing"
            " done)",
        )

    def site(self, text: str) -> None:
        """The option of commands for one of several sites."""
        self.value("--site", "NAME", text, required("the name of a site"))

    def format_usage(self) -> str:
        """Operands first, for the environment is the first word."""
        operands = [each for each in self._actions if not each.option_strings]
        options = [each for each in self._actions if each.option_strings and each.dest != "help"]
        words = [_shown(each) for each in operands] + [f"[{_shown(each)}]" for each in options]
        if self._passes_on:
            words.append(f"[{self._passes_on}]")
        return " ".join([f"usage: {self.prog}", *words])

    def format_help(self) -> str:
        _, _, rest = super().format_help().partition("\n\n")
        return f"{self.format_usage()}\n\n{rest}"

    def refuse(self, word: str) -> NoReturn:
        """Say that a word is none of this command's, with those that are."""
        if not word.startswith("-"):
            fail(f"unknown argument {word!r} (see --help)")
        options = [each for each in self._actions if each.option_strings and each.dest != "help"]
        names = [_shown(each, literals=False) for each in options]
        allowed = ", ".join([*names, "--help"])
        fail(f"unknown argument {word!r} (allowed: {allowed})")

    def error(self, message: str) -> NoReturn:
        fail(f"{message} (see --help)")


def parsed(command: Command, name: str, words: Sequence[str]) -> argparse.Namespace | None:
    """What the words say; None after help, which is printed.

    Raises:
        CommandError: a word is not allowed, or there is no such environment.
    """
    rest = list(words)
    if command.takes_stack and (
        not rest or rest[0].startswith("-") or rest[0] in command.not_a_stack
    ):
        rest.insert(0, "local")
    parser = Arguments(command, name)
    if any(word in HELP for word in rest[: 2 if command.takes_stack else 1]):
        parser.print_help()
        return None
    if command.takes_stack:
        require_environment(rest[0])
    options, more = parser.parse_known_args(rest)
    if more and not command.passes_on:
        parser.refuse(more[0])
    options.rest = [*getattr(options, "rest", ()), *more]
    return options


def require_environment(stack: str) -> None:
    """Raises `CommandError` where there is no such environment."""
    if stack not in environments():
        names = " ".join(environments())
        fail(f"there is no environment '{stack}': must be one of {names} (Pulumi.<name>.yaml)")


def one_of(*allowed: str) -> Check:
    """A word of a few."""

    def check(option: str, word: str) -> str:
        if word not in allowed:
            fail(f"{option} is '{word}': must be {' or '.join(allowed)}")
        return word

    return check


def required(what: str) -> Check:
    """Any word, but there must be one."""

    def check(option: str, word: str) -> str:
        return word or fail(f"{option} needs {what}")

    return check


def number(option: str, word: str) -> int:
    """A number from 0 up."""
    return int(word) if word.isdecimal() else fail(f"{option} is '{word}': must be a number")


class _Value(argparse.Action):
    """Without a word it is ours to say what is missing."""

    def __init__(self, check: Check, repeats: bool, **more: Any) -> None:
        super().__init__(nargs="?", **more)
        self._check, self._repeats = check, repeats

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        value = self._check(self.option_strings[0], values or "")
        if self._repeats:
            value = [*(getattr(namespace, self.dest) or ()), value]
        setattr(namespace, self.dest, value)


def _shown(action: argparse.Action, *, literals: bool = True) -> str:
    """As a person is told of it: `--lines N`; `--destroy db`, whose value is that very word."""
    if not action.option_strings:
        return str(action.metavar or action.dest)
    name = action.option_strings[0]
    value = str(action.metavar or "")
    stands_for_another = value.isupper() or value.startswith("[")
    return f"{name} {value}" if value and (literals or stands_for_another) else name


def _epilog(command: Command) -> str:
    title = "example" if len(command.examples) == 1 else "examples"
    examples = f"\n{' ' * (len(title) + 2)}".join(command.examples)
    statuses = f"exit status: {cleandoc(command.statuses)}\n\n" if command.statuses else ""
    return f"{statuses}{title}: {examples}"
