"""Say which settings are others than when a release served last, and how to go back to both.

For a rollback that failed: the release is what it was, so what has changed around it is the likely
reason.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cli.console import say
from cli.engine.state import outputs
from cli.project import environments
from cli.project.sites import Site
from components.settings import written


def tell(stack: str, release: str, site: Site) -> None:
    """Say it, where they are known."""
    releases = site.outputs(outputs(stack)).get("releases") or []
    entry: dict[str, Any] = next((each for each in releases if each["id"] == release), {})
    if "settings" not in entry:
        return
    name = "" if site.number is None else site.name
    words = ["--site", name] if name else []
    now = written.of_site(environments.file_of(stack).settings, name)
    changed = written.changes(entry["settings"], now)
    if changed:
        for line in [
            f"{stack}: since release {release} served, settings have changed; then it had:",
            *told(changed, environments.defaults()),
            "To go back to both, first:",
            *commands(changed, stack, site.path),
            f"then: scripts/rollback {shlex.join([stack, release, *words])}",
        ]:
            say(line)


def told(changed: Sequence[tuple[str, str | None]], defaults: Mapping[str, object]) -> list[str]:
    """Each setting with its value of then; of secrets the name alone; pure."""
    return [f"  {name}: {_value(name, then, defaults)}" for name, then in changed]


def _value(name: str, then: str | None, defaults: Mapping[str, object]) -> str:
    if then is None:
        default = defaults.get(name)
        return f"not set (default: {default})" if default not in (None, "") else "not set"
    if then.startswith(written.SECRET):
        return "another value (a secret)"
    return then if then.isprintable() and then else repr(then)


def commands(
    changed: Sequence[tuple[str, str | None]], stack: str, path_of: Callable[[str], str]
) -> list[str]:
    """What brings the settings of then back; a secret's value is asked for; pure.

    Args:
        path_of: a setting of the site, as `pulumi config --path` has it.
    """
    lines = []
    for name, then in changed:
        path = path_of(name)
        words = ["--path", path] if set(path) & set(".[") else [path]
        if then is None:
            words = ["rm", *words]
        elif then.startswith(written.SECRET):
            words = ["set", "--secret", *words]
        else:
            words = ["set", *words, then]
        lines.append(f"  {shlex.join(['pulumi', 'config', *words, '--stack', stack])}")
    return lines
