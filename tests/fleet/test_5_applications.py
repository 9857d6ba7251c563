"""An application that is bad in one way or another gets no visitors; the old one keeps them."""

from __future__ import annotations

import pytest

from tests.fleet.fleet import WebServers

pytestmark = pytest.mark.hosts

AT_THE_START = "app = Flask(__name__)"
IN_ITS_HEALTH = 'return Response(f"ok'
IN_ITS_PAGE = 'return render_template("users.html"'

HANGS = f"import time\ntime.sleep(3600)\n{AT_THE_START}"
EXITS = f"import threading\nthreading.Timer(3, os._exit, [3]).start()\n{AT_THE_START}"
# 40 MB and more each time, written to, so that they are really taken.
EATS_MEMORY = f"""import threading
import time
eaten = []
def eat():
    while True:
        eaten.append(bytearray(os.urandom(4096) * 10_000))
        time.sleep(0.4)
threading.Thread(target=eat, daemon=True).start()
{AT_THE_START}"""
ANSWERS_500 = f'return Response("not well\\n", 500)\n    {IN_ITS_HEALTH}'


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param(AT_THE_START, HANGS, "gives no answer: timed out", id="hangs at the start"),
        pytest.param(AT_THE_START, EXITS, "must stay so for 6 s", id="exits after 3 s"),
        pytest.param(IN_ITS_HEALTH, ANSWERS_500, "not well", id="answers 500"),
        pytest.param(
            IN_ITS_PAGE,
            f"return 1 / 0 or {IN_ITS_PAGE[7:]}",
            "warm-up: / answers 500",
            id="its page fails",
        ),
        pytest.param(AT_THE_START, EATS_MEMORY, "out of memory", id="eats the memory"),
    ],
)
def test_a_bad_application_gets_no_visitors(
    fleet: WebServers, old: str, new: str, told: str
) -> None:
    served = fleet.id_of_the_application()
    with fleet.setting(minReadySeconds=6, warmUpPaths=["/"]), fleet.visited() as visitors:
        with fleet.edited("app/wsgi.py", old, new) as bad:
            said = fleet.site.run("scripts/up local", fails=True).stdout
        assert told in said
        fleet.serve(served)
    assert bad not in visitors.seen


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("python -c 'raise SystemExit(3)'", "failed with status 3"),
        ("sleep 3600", "was not done after 5 s"),
    ],
    ids=["fails", "hangs"],
)
def test_a_release_command_that_goes_wrong_stops_the_release(
    fleet: WebServers, command: str, told: str
) -> None:
    served = fleet.id_of_the_application()
    with fleet.setting(releaseCommand=command), fleet.visited() as visitors:
        with fleet.edited("app/templates/users.html", "<h1>", "<h1>Not migrated: "):
            said = fleet.site.run("scripts/up local", fails=True).stdout
        assert told in said
        assert "sleep 3600" not in fleet.everywhere("ps axww -o args=", "web")["web"]
        fleet.serve(served)
    assert set(visitors.seen) == {served}


def test_after_all_of_this_the_next_up_ends_on_the_wanted_release(fleet: WebServers) -> None:
    with fleet.visited():
        fleet.end_on(fleet.id_of_the_application())
        fleet.end_on(fleet.new_edition())
