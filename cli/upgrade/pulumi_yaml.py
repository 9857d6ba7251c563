"""Pulumi.yaml as a project has it: with its own name, and as `pulumi new` writes it; pure.

`pulumi new` leaves out the section `template` and empty lines, and adds where the project is from.
Both sides of a merge get that form, so that it does not look like a change of the project's own.
"""

from __future__ import annotations

import re

_NAMED = re.compile(r"^(name|description): .*$", re.MULTILINE)
_TEMPLATE = re.compile(r"^(#.*\n)*template:\n([ \t].*\n|\n)*", re.MULTILINE)
_TAGS = re.compile(r"^  pulumi:tags:\n(?:    .*\n)*", re.MULTILINE)
_FROM = re.compile(r"^ +pulumi:template: (.+)$", re.MULTILINE)


def as_in(project: str, ours: str) -> str:
    """Our Pulumi.yaml in the form of a project's."""
    own = {match[1]: match[0] for match in reversed(list(_NAMED.finditer(project)))}
    text = _NAMED.sub(lambda match: own.get(match[1], match[0]), ours, count=2)
    if _TEMPLATE.search(project):
        return text
    text = _TEMPLATE.sub("", text)
    if "\n\n" not in project:
        text = re.sub(r"\n\n+", "\n", text)
    return text + "".join(_TAGS.findall(project))


def made_from(project: str) -> str:
    """The address that `pulumi new` was given; empty where it was not that."""
    found = _FROM.search(project)
    return found[1].strip("'\"") if found else ""
