"""A project that `pulumi new` made of this one has a name of its own, and its settings that name.

python3 -m cli.project.namespace
"""

from __future__ import annotations

import sys

from cli.console import say, status_of
from cli.paths import environments as all_environments
from cli.project import environments
from components.settings import stack_file

TEMPLATE = "slipway"


def adopt() -> None:
    """Have the settings of its environments go by the project's name."""
    project = environments.project()
    if project == TEMPLATE:
        return
    adopted = False
    for name in all_environments():
        path = environments.path_of(name)
        text = path.read_text()
        # Most have none, which is seen without reading them as YAML.
        if f"{TEMPLATE}:" in text and (new := stack_file.renamed(text, TEMPLATE, project)) != text:
            path.write_text(new)
            adopted = True
    if adopted:
        say(f"project {project}: the settings of its environments go by that name now")


if __name__ == "__main__":
    sys.exit(status_of(adopt))
