"""An environment with names, which all stories of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clone import Place
from tests.environment import environment_of_its_own
from tests.https.named import ALIAS, NAME, OLD_NAME, SHOP, Named

#: Small servers, and no longer waits than the stories need.
SETTINGS = (
    f"slipway:serverNames: [{NAME}, {ALIAS}]",
    f"slipway:redirectNames: {{{OLD_NAME}: {NAME}}}",
    "slipway:tls: servers",
    "slipway:webSize: s-1vcpu-512mb-10gb",
    "slipway:workers: 2",
    "slipway:drainSeconds: 3",
    "slipway:connectSeconds: 5",
    "slipway:sites:",
    f"  - {{appName: shop, serverNames: [{SHOP}], appFolder: examples/plain, releaseCommand: ''}}",
)


@pytest.fixture(scope="session")
def named() -> Iterator[Named]:
    with environment_of_its_own(Place(number=Place().number + 1), *SETTINGS) as clone:
        yield Named(clone)
