"""The package sources of a Debian image, derived from this computer's own apt configuration.

So the project names no mirror: a machine uses the same ones as the computer it runs on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from local_cloud.machine import MachineError

DEBIAN_SUITES = ("", "-updates", "-security")
"""What belongs to a release, after its name; proposed updates and backports stay out."""

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
"""The keys of all Debian releases in use; the package debian-archive-keyring is in every image."""


@dataclass(frozen=True)
class Source:
    """One archive: where it is, its suite and components."""

    uri: str
    suite: str
    components: tuple[str, ...]

    def render(self) -> str:
        """A paragraph of a `.sources` file (sources.list(5))."""
        return (
            f"Types: deb\nURIs: {self.uri}\nSuites: {self.suite}\n"
            f"Components: {' '.join(self.components)}\nSigned-By: {KEYRING}\n"
        )


def own_sources(apt: Path = Path("/etc/apt")) -> list[Source]:
    """Every enabled binary source of this computer."""
    found: list[Source] = []
    lists = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]
    for path in lists:
        if path.exists():
            found += parse_list(path.read_text())
    for path in sorted((apt / "sources.list.d").glob("*.sources")):
        found += parse_paragraphs(path.read_text())
    return found


def sources_for(release: str, own: Iterable[Source], own_release: str) -> list[Source]:
    """The sources of a Debian release, on the mirrors that serve this computer's own release.

    Raises `MachineError` when this computer has no Debian mirror to learn from.
    """
    aliases = (own_release, "stable", "oldstable", "testing")
    wanted: list[Source] = []
    for source in own:
        name, _, rest = source.suite.replace("/updates", "-security").partition("-")
        ending = f"-{rest}" if rest else ""
        if name not in aliases or ending not in DEBIAN_SUITES:
            continue
        # Of the components, those that every release has.
        components = tuple(c for c in source.components if c in ("main", "contrib", "non-free"))
        if "main" in components:
            suited = Source(source.uri, f"{release}{ending}", components)
            if suited not in wanted:
                wanted.append(suited)
    if not any(source.suite == release for source in wanted):
        raise MachineError(
            f"this computer's /etc/apt has no Debian mirror with a suite {own_release}, so there "
            f"is none to take {release} from; add one to /etc/apt/sources.list.d/"
        )
    return wanted


def codename(os_release: Path = Path("/etc/os-release")) -> str:
    """The name of this computer's own release, such as bookworm."""
    found = re.search(r'^VERSION_CODENAME="?([\w-]+)', os_release.read_text(), re.MULTILINE)
    return found.group(1) if found else "stable"


def render(sources: Iterable[Source]) -> str:
    return "\n".join(source.render() for source in sources)


def cacheable(sources: Iterable[Source]) -> list[str]:
    """The addresses a caching proxy can read: plain HTTP, each as host and path."""
    addresses = []
    for source in sources:
        parts = urlsplit(source.uri)
        address = f"{parts.netloc}{parts.path.rstrip('/')}"
        if parts.scheme == "http" and address not in addresses:
            addresses.append(address)
    return addresses


def parse_list(text: str) -> Iterator[Source]:
    """The one-line form: `deb [options] uri suite component…`."""
    for line in text.splitlines():
        content = re.sub(r"\[[^]]*\]", "", line.partition("#")[0]).split()
        if len(content) >= 4 and content[0] == "deb":
            yield Source(content[1], content[2], tuple(content[3:]))


def parse_paragraphs(text: str) -> Iterator[Source]:
    """The form of `.sources` files: fields in paragraphs, each with lists of values."""
    for paragraph in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in paragraph.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():
                fields[name] = f"{fields.get(name, '')} {line.strip()}"
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if (
            fields.get("enabled", "yes").lower() == "no"
            or "deb" not in fields.get("types", "").split()
        ):
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(uri, suite, tuple(fields.get("components", "").split()))
