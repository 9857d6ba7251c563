"""What is served under a path: as nginx itself does it, and what a person is told otherwise."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any

import httpx
import pytest

from components.core.errors import SlipwayError
from components.release import artifact_store, release_choice
from tests.unit.test_application import application, files, of_instance, program
from tests.unit.test_settings import complaint, settings

Site = Callable[..., httpx.Client]
LOREM = "lorem ipsum " * 100


class _Application(BaseHTTPRequestHandler):
    """Says how it was asked."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(f"{self.command} {self.path} {LOREM} {self.headers['Host']}".encode())

    def do_POST(self) -> None:
        self.do_GET()

    def address_string(self) -> str:
        return ""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """nginx with the site's file, in front of an application, for as long as the test takes."""
    release = tmp_path / "srv" / "releases" / "one"
    for name in ("static/style.css", "content/a file.txt", "content/more/index.html"):
        (release / name).parent.mkdir(parents=True, exist_ok=True)
        (release / name).write_text(f"{name} {LOREM}")
    (release / "content/bare").mkdir()
    (tmp_path / "srv/current").symlink_to("releases/one")
    running: list[subprocess.Popen[bytes]] = []
    with _serving(tmp_path / "srv/current.sock"):
        yield lambda **changes: _nginx(tmp_path, running, changes)
        for process in running:
            process.terminate()
            process.wait()


@contextmanager
def _serving(path: Path) -> Iterator[None]:
    with ThreadingUnixStreamServer(str(path), _Application) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


def _nginx(
    folder: Path, running: list[subprocess.Popen[bytes]], changes: dict[str, Any]
) -> httpx.Client:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = files(webPort=port, **changes).nginx["web"]
    text = text.replace("/srv/site", f"{folder}/srv").replace("/etc/slipway/site", str(folder))
    (folder / "site.conf").write_text(text)
    (folder / "maintenance.html").write_text("Back soon.")
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = "".join(
        f"{each}_temp_path {folder}/{each};\n"
        for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/errors;\nevents {{}}\n"
        f"http {{ access_log off; {temporary} types {{ text/css css; text/plain txt;"
        f" text/html html; }} include {folder}/site.conf; }}\n"
    )
    command = [program("nginx"), "-p", str(folder), "-c", f"{folder}/nginx.conf"]
    running.append(subprocess.Popen(command, stderr=subprocess.PIPE))
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}")
    for _ in range(100):
        try:
            client.get("/healthz")
        except httpx.TransportError:
            assert running[-1].poll() is None, (folder / "errors").read_text()
            time.sleep(0.05)
        else:
            return client
    raise AssertionError((folder / "errors").read_text())


CONTENT = {"path": "/content", "folder": "content"}


def test_a_folder_is_served_under_its_path_and_the_rest_is_the_application_s(site: Site) -> None:
    visitor = site(locations=[CONTENT])
    assert visitor.get("/content/a%20file.txt").text.startswith("content/a file.txt")
    assert visitor.get("/static/style.css").text.startswith("static/style.css")
    assert visitor.get("/content/no-such.txt").status_code == 404
    assert visitor.get("/contents").text.startswith("GET /contents")
    assert visitor.get("/").text.startswith("GET / ")


def test_nothing_outside_a_folder_can_be_asked_for(site: Site, tmp_path: Path) -> None:
    (tmp_path / "srv/releases/one/secret.txt").write_text("hush")
    visitor = site(locations=[{**CONTENT, "listing": True}])
    for path in ("/content../secret.txt", "/content/%2e%2e/secret.txt", "/content/..%2fsecret.txt"):
        said = visitor.get(path)
        assert said.text.startswith("GET ") or said.status_code in (400, 404), path
        assert "hush" not in said.text


def test_a_folder_shows_its_index_or_else_nothing(site: Site) -> None:
    visitor = site(locations=[CONTENT])
    assert visitor.get("/content/more/").text.startswith("content/more/index.html")
    assert visitor.get("/content/bare/").status_code == 403
    assert visitor.get("/content/").status_code == 403
    moved = visitor.get("/content/more?page=1")
    assert (moved.status_code, moved.headers["location"]) == (301, "/content/more/?page=1")
    assert visitor.get("/content").headers["location"] == "/content/"


def test_a_folder_shows_what_is_in_it_where_that_is_wished(site: Site) -> None:
    visitor = site(locations=[{**CONTENT, "listing": True}])
    listed = visitor.get("/content/")
    assert 'href="a%20file.txt"' in listed.text
    assert 'href="bare/"' in listed.text
    assert listed.headers["content-type"] == "text/html; charset=utf-8"
    assert "cache-control" not in listed.headers
    assert "Index of /content/bare/" in visitor.get("/content/bare/").text
    assert visitor.get("/content/more/").text.startswith("content/more/index.html")


def test_a_path_within_a_folder_may_be_another_s(site: Site) -> None:
    inner = {"path": "/content/more", "folder": "static"}
    visitor = site(locations=[CONTENT, inner, {"path": "/content/api"}])
    assert visitor.get("/content/more/style.css").text.startswith("static/style.css")
    assert visitor.get("/content/api/x").text.startswith("GET /content/api/x")
    assert visitor.get("/content/apis").status_code == 404


def test_files_of_the_release_before_are_still_found(site: Site, tmp_path: Path) -> None:
    old = tmp_path / "srv/releases/old/content"
    old.mkdir(parents=True)
    (old / "old.txt").write_text("of old")
    (tmp_path / "srv/previous").symlink_to("releases/old")
    assert site(locations=[CONTENT]).get("/content/old.txt").text == "of old"


def test_browsers_are_told_how_long_a_file_is_good(site: Site) -> None:
    visitor = site(locations=[{**CONTENT, "cacheSeconds": 86400}])
    assert visitor.get("/content/a file.txt").headers["cache-control"] == "max-age=86400"
    assert visitor.get("/static/style.css").headers["cache-control"] == "max-age=300"
    assert "cache-control" not in visitor.get("/content/none.txt").headers
    never = site(locations=[{"path": "/static", "cacheSeconds": 0}], staticCacheSeconds=60)
    assert never.get("/static/style.css").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/static/style.css", "/page"])
def test_texts_are_compressed_for_who_takes_that(site: Site, path: str) -> None:
    visitor, all_of_it = site(), {"Accept-Encoding": "identity"}
    with visitor.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "Accept-Encoding"
        raw = b"".join(answer.iter_raw())
    whole = visitor.get(path, headers=all_of_it)
    assert "content-encoding" not in whole.headers
    assert gzip.decompress(raw) == whole.content
    plain = site(compression=False).get(path, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers


def test_a_request_that_is_too_large_is_refused(site: Site) -> None:
    visitor = site(maxBodySize="2k", locations=[{"path": "/upload", "maxBodySize": "5k"}])
    sizes = {path: [1024, 3 * 1024, 6 * 1024] for path in ("/", "/upload", "/upload/x", "/uploads")}
    taken = {
        path: [visitor.post(path, content=b"x" * size).status_code for size in each]
        for path, each in sizes.items()
    }
    assert taken == {
        "/": [200, 413, 413],
        "/upload": [200, 200, 413],
        "/upload/x": [200, 200, 413],
        "/uploads": [200, 413, 413],
    }


def test_headers_are_added_to_those_of_the_site(site: Site) -> None:
    more = {"Cache-Control": "public, immutable", "X-Note": "it's {all} of; it"}
    visitor = site(
        locations=[{**CONTENT, "headers": more}, {"path": "/", "headers": {"X-Page": "1"}}]
    )
    file, page = visitor.get("/content/a file.txt"), visitor.get("/")
    assert file.headers.get_list("cache-control") == ["max-age=300", "public, immutable"]
    assert file.headers["x-note"] == more["X-Note"]
    assert page.headers["x-page"] == "1"
    for answer in (file, page, visitor.get("/static/style.css")):
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    own = {"x-content-type-options": "none"}
    answer = site(locations=[{"path": "/own", "headers": own}]).get("/own")
    assert answer.headers.get_list("x-content-type-options") == ["none"]


def test_maintenance_covers_files_as_well_as_the_application(site: Site) -> None:
    visitor = site(
        locations=[CONTENT, {"path": "/upload", "maxBodySize": "1m"}], maintenance="Soon."
    )
    for path in ("/content/a file.txt", "/static/style.css", "/upload"):
        assert visitor.get(path).status_code == 503, path
    assert visitor.get("/").text == "Back soon."
    assert visitor.get("/healthz").text.startswith("GET /healthz"), "as the server itself asks"


def test_behind_a_load_balancer_its_check_is_known_by_having_no_visitor(
    site: Site, tmp_path: Path
) -> None:
    # As releasectl writes it, for what serves.
    (tmp_path / "health-host.conf").write_text('"" "www.example.org";\n')
    visitor = site(webCount=2)
    check = {"Host": "10.20.0.3"}
    through = {"Host": "shop.example.org", "X-Forwarded-For": "9.9.9.9"}
    assert "www.example.org" in visitor.get("/healthz", headers=check).text
    assert "shop.example.org" in visitor.get("/healthz", headers=through).text
    # While healthPath changes, the balancer asks for the old one.
    assert "www.example.org" in visitor.get("/up", headers=check).text
    visitor = site(webCount=2, maintenance="Soon.")
    assert visitor.get("/healthz", headers=check).status_code == 200
    assert visitor.get("/healthz", headers=through).status_code == 503
    assert visitor.post("/healthz", headers=through).text == "Back soon."


def test_the_app_server_is_as_patient_as_the_most_patient_path() -> None:
    locations = [{"path": "/export", "requestSeconds": 300}, {"path": "/a", "requestSeconds": 5}]
    for server, name, line in [
        ("gunicorn", "gunicorn", "timeout = 300\n"),
        ("uwsgi", "uwsgi", "harakiri = 300\n"),
        ("mod_wsgi", "apache", "request-timeout=300 "),
    ]:
        assert line in of_instance(name, appServer=server, locations=locations)
    text = files(locations=locations).nginx["web"]
    assert text.count("proxy_read_timeout 300s;") == 2
    assert text.count("proxy_read_timeout 5s;") == 2
    assert text.count("proxy_read_timeout 60s;") == 2
    assert application().longest_request_seconds == 60


# What a person is told


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ({"folder": "content"}, "].path is missing: must be a path such as /content"),
        ({"path": "content"}, "].path is content: must be a path such as /content"),
        ({"path": "/content/"}, "].path is /content/: must be a path"),
        ({"path": "/a b"}, "].path is /a b: must be a path"),
        ({"path": "/a;}"}, "].path is /a;}: must be a path"),
        ({"path": "/a/../b"}, "].path is /a/../b: must be a path"),
        ({"path": "/healthz"}, "].path is /healthz, which is healthPath: must be another path"),
        ({"path": "/maintenance.html"}, "which is the page of maintenance: must be another"),
        ({"path": "/", "folder": "content"}, "].path is /, which is the application's"),
        ({**CONTENT, "folder": "../x"}, "].folder is ../x: must be a folder inside the app"),
        ({**CONTENT, "folder": "a/../../x"}, "].folder is a/../../x: must be a folder inside"),
        ({**CONTENT, "folder": "/etc"}, "].folder is /etc: must be a folder inside the app"),
        ({**CONTENT, "folder": "."}, "].folder is .: must be a folder inside the application"),
        ({**CONTENT, "listing": "maybe"}, "].listing is maybe: must be true or false"),
        ({**CONTENT, "cacheSeconds": -1}, "].cacheSeconds is -1: must be 0 to 31536000"),
        ({**CONTENT, "maxBodySize": "1m"}, "].maxBodySize has a meaning only without a folder"),
        ({"path": "/a", "maxBodySize": "2g"}, "].maxBodySize is 2g: must be a size from 1k to 1g"),
        ({"path": "/a", "requestSeconds": 0}, "].requestSeconds is 0: must be 1 to 3600 seconds"),
        ({"path": "/a", "cacheSeconds": 1}, "].cacheSeconds has a meaning only with a folder"),
        ({"path": "/a", "listing": True}, "].listing has a meaning only with a folder"),
        ({"path": "/static", "folder": "files"}, "].folder is files, and staticFolder says static"),
        ({"path": "/a", "headers": {"X-A": 'a"; b'}}, '].headers is a"; b: must be a map'),
        ({"path": "/a", "headers": {"X-A": "$host"}}, "].headers is $host: must be a map"),
        ({"path": "/a", "headers": {"X A": "1"}}, "].headers is X A: must be a map"),
        ({"path": "/a", "headers": {"Server": "x"}}, "].headers has Server, which nginx says"),
        (
            {"path": "/a", "maxbodysize": "1m"},
            "].maxbodysize is not a setting; did you mean slipway:locations[0].maxBodySize?",
        ),
        ("/content", " is /content: must be a list of maps, each with a path"),
    ],
)
def test_a_location_that_cannot_be_is_named_with_what_is_allowed(location: Any, said: str) -> None:
    told = complaint(locations=[location])
    assert told.startswith("slipway:locations")
    assert said in told
    assert "\n" not in told


def test_two_locations_cannot_share_a_path() -> None:
    told = complaint(locations=[CONTENT, {"path": "/a"}, {**CONTENT, "folder": "files"}])
    assert told == (
        "slipway:locations[2].path is /content, and so is slipway:locations[0].path:"
        " must be another path, or one entry"
    )


@pytest.mark.parametrize("size", ["0", "20", "20M", "2g", "1.5m", "1000m", "20m;", "20m\n", 20])
def test_an_upload_limit_that_cannot_be_is_named(size: Any) -> None:
    assert "slipway:maxBodySize is " in complaint(maxBodySize=size)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "app"
    (folder / "files/content").mkdir(parents=True)
    (folder / "files/content/a.txt").write_text("a")
    (folder / "wsgi.py").write_text("def app(): ...\n")
    (folder / "requirements.txt").write_text("")
    return folder


def chosen(**changes: Any) -> release_choice.ReleaseChoice:
    return release_choice.from_settings(settings(**changes), artifact_store.folder_of("local"), {})


def test_a_folder_that_the_release_has_not_is_named_before_anything_is_made(app: Path) -> None:
    there = [{"path": "/content", "folder": "files/content"}]
    assert chosen(locations=there).release.id
    with pytest.raises(SlipwayError, match=r"locations\[0\].folder is content: app has no such"):
        chosen(locations=[CONTENT])
    assert chosen(locations=[CONTENT], buildCommand="python make.py").release.id
    (app / ".gitignore").write_text("files/\n")
    with pytest.raises(SlipwayError, match="folder is files/content: app has no such folder"):
        chosen(locations=there)


def test_a_folder_that_leads_out_of_the_application_is_refused(app: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (app / "content").symlink_to("../elsewhere")
    with pytest.raises(SlipwayError, match=r"app/content: the symlink leads out of the folder"):
        chosen(locations=[CONTENT])
    (app / "content").unlink()
    (app / "content").symlink_to("files/content")
    assert chosen(locations=[CONTENT]).release.id
