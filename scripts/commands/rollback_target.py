"""Print the id of the release that a rollback goes to."""

from __future__ import annotations

import sys

from scripts.commands.engine import fail, outputs


def main(stack: str, wanted: str | None = None) -> None:
    known = outputs(stack)
    if not known.get("releases"):
        fail(f"{stack} has no releases yet: scripts/up {stack} makes the first")
    if wanted is None and known.get("previous_release"):
        print(known["previous_release"])  # noqa: T201 - the script that called reads it
        return
    # Only now: the program's modules take Pulumi's SDK along, which takes 0.2 s to import.
    from components import history
    from components.errors import SlipwayError

    try:
        past = history.History.of(known["release"]["id"], history.read(known["releases"]))
        target = history.rollback_target(past, wanted)
    except SlipwayError as error:
        fail(str(error))
    print(target)  # noqa: T201 - the script that called reads it


if __name__ == "__main__":
    main(*sys.argv[1:])
