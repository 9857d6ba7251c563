"""Two web servers behind a load balancer, with an application that looks at its Host header."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clone import Place
from tests.environment import environment_of_its_own
from tests.fleet.fleet import WebServers

HOST = "shop.example.org"
OTHER_HOST = "www.example.org"
SETTINGS = (
    f"slipway:healthHost: {HOST}",
    "slipway:webCount: 2",
    "slipway:webSize: s-1vcpu-512mb-10gb",
    "slipway:workers: 2",
    "slipway:healthSeconds: 8",
    "slipway:drainSeconds: 3",
    "slipway:confirmSeconds: 10",
    "slipway:connectSeconds: 5",
)
#: As Django does with ALLOWED_HOSTS.
LOOKS_AT_ITS_HOST = f'''app = Flask(__name__)

if "REFUSE_TO_START" in os.environ:
    raise RuntimeError("REFUSE_TO_START is set")


@app.before_request
def refuse_other_hosts() -> Response | None:
    from flask import request

    known = request.host in ("{HOST}", "{OTHER_HOST}")
    return None if known else Response("Bad Host\\n", 400)


@app.get("/well")
def well() -> str:
    return "well"


@app.get("/empty")
def empty() -> Response:
    return Response(status=204)
'''


@pytest.fixture(scope="session")
def servers() -> Iterator[WebServers]:
    place = Place(number=Place().number + 7)
    edits = {"app/wsgi.py": ("app = Flask(__name__)\n", LOOKS_AT_ITS_HOST)}
    with environment_of_its_own(place, *SETTINGS, edits=edits) as clone:
        yield WebServers(clone, host=HOST)
