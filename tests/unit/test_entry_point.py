"""The WSGI callable is found by itself in the usual places."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.application import entry_point
from components.core.errors import SlipwayError

ROOT = Path(__file__).resolve().parents[2]


def folder_with(folder: Path, **files: str) -> Path:
    """Files by name, `__` for a slash and no suffix: shop__wsgi is shop/wsgi.py."""
    for name, text in files.items():
        path = folder / (name.replace("__init__", "INIT").replace("__", "/") + ".py")
        path = Path(str(path).replace("INIT", "__init__"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def complaint(folder: Path) -> str:
    with pytest.raises(SlipwayError) as caught:
        entry_point.find(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"wsgi": "app = Flask(__name__)"}, "wsgi:app"),
        ({"app": "def app(environ, start_response): ..."}, "app:app"),
        ({"main": "application: object = make()"}, "main:application"),
        ({"main": "def create_app(config=None): ..."}, "main:create_app()"),
        ({"main": "def make_app(*, debug=False, **more): ..."}, "main:make_app()"),
        ({"shop__wsgi": "application = get_wsgi_application()"}, "shop.wsgi:application"),
        ({"shop____init__": "def create_app(): ..."}, "shop:create_app()"),
        ({"wsgi": "from shop import application", "shop____init__": ""}, "wsgi:application"),
        ({"wsgi": "from shop import create_app\napp = create_app()"}, "wsgi:app"),
        ({"wsgi": "app = Flask()\napplication = Logged(app)"}, "wsgi:application"),
        ({"wsgi": "try:\n  app = a()\nexcept E:\n  app = b()"}, "wsgi:app"),
        ({"wsgi": "if X:\n  with y:\n    app, other = z"}, "wsgi:app"),
        ({"wsgi": "app = 1", "app": "app = 1", "shop__wsgi": "app = 1"}, "wsgi:app"),
        ({"shop__wsgi": "app = 1", "tests__wsgi": "app = 1", "app": "app = 1"}, "shop.wsgi:app"),
    ],
)
def test_it_is_found(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    assert entry_point.find(folder_with(tmp_path, **files)) == expected


def test_the_one_of_the_sample_application_is_found() -> None:
    assert entry_point.find(ROOT / "app") == "wsgi:app"


def test_nothing_is_imported_to_find_it(tmp_path: Path) -> None:
    folder_with(tmp_path, wsgi="app = 1\nraise SystemExit('imported')")
    assert entry_point.find(tmp_path) == "wsgi:app"


def test_src_counts_where_the_application_will_be_installed(tmp_path: Path) -> None:
    folder_with(tmp_path, src__shop__wsgi="app = 1")
    assert entry_point.find(tmp_path, installed=True) == "shop.wsgi:app"
    assert "no WSGI callable" in complaint(tmp_path)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "there is none of these files"),
        ({"app": "x = 1"}, "app.py (has none of them)"),
        ({"app": "import app"}, "app.py (has none of them)"),
        ({"app": "app: object"}, "app.py (has none of them)"),
        ({"app": "def f():\n  app = 1"}, "app.py (has none of them)"),
        ({"app": "def create_app(config): ..."}, "app.py (create_app needs arguments)"),
        ({"app": "def create_app(*, config): ..."}, "app.py (create_app needs arguments)"),
        ({"main": "def app(:"}, "main.py (cannot be read, line 1: "),
    ],
)
def test_where_there_is_none_what_was_looked_at_is_listed(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    told = complaint(folder_with(tmp_path, **files))
    assert told.startswith(f"slipway:appModule is empty, and {tmp_path} has no WSGI callable")
    assert said in told
    assert "application, app, create_app(), make_app()" in told
    assert "wsgi.py, */wsgi.py, app.py, main.py" in told


def test_where_there_are_several_they_are_named(tmp_path: Path) -> None:
    told = complaint(folder_with(tmp_path, app="app = 1", main="app = 1"))
    assert "several WSGI callables: app:app, main:app" in told
    assert "Set slipway:appModule" in told
