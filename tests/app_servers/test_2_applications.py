"""Applications of all kinds, one after the other on the same servers: examples, packages."""

from __future__ import annotations

import re
import shutil
import textwrap
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from tests.clone import Clone

pytestmark = pytest.mark.hosts

SECRET = "hush-hush-no-one-knows"
FLASK = {
    "appFolder": "examples/flask",
    "appConfigFile": "config.cfg.j2",
    "releaseCommand": "flask init-db",
    "appEnv": {"MODE": "careful", "SECRET_KEY": SECRET},
}
DJANGO = {
    "appFolder": "examples/django",
    "buildCommand": "python manage.py collectstatic --noinput",
    "releaseCommand": "python manage.py migrate --noinput",
    "staticFolder": "staticfiles",
    "appEnv": {"SECRET_KEY": SECRET},
}
PLAIN = {"appFolder": "examples/plain", "releaseCommand": "", "staticFolder": ""}

PACKAGE = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "hello"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["gunicorn"]
"""


@pytest.fixture(scope="module", autouse=True)
def the_site_as_it_was(site: Clone) -> Iterator[None]:
    document = (site.folder / "Pulumi.local.yaml").read_text()
    yield
    (site.folder / "Pulumi.local.yaml").write_text(document)
    site.run("scripts/up local")
    assert "Ada Lovelace" in site.get().text


def choose(site: Clone, **settings: Any) -> None:
    """The stack's settings, with these; the secret one as `pulumi config set --secret` has it."""
    path = site.folder / "Pulumi.local.yaml"
    document = yaml.safe_load(path.read_text())
    names = {*FLASK, *DJANGO, *PLAIN, "appSource", "appModule"}
    config = {k: v for k, v in document["config"].items() if k.partition(":")[2] not in names}
    given = {**settings, "appEnv": {**settings.get("appEnv", {})}}
    secret = given["appEnv"].pop("SECRET_KEY", None)
    more = {f"slipway:{name}": value for name, value in given.items()}
    path.write_text(yaml.safe_dump({**document, "config": {**config, **more}}))
    if secret:
        site.pulumi(f"config set --stack local --secret --path appEnv.SECRET_KEY {secret}")


def release(site: Clone, **settings: Any) -> str:
    """All that was said while it was released."""
    choose(site, **settings)
    done = site.run("scripts/up local")
    return done.stdout + done.stderr


def env_file(site: Clone) -> str:
    return site.on("web", "sudo cat /etc/slipway/site/env")


# Flask, with a configuration file


def test_flask_is_found_and_configured_by_a_file(site: Clone) -> None:
    said = release(site, **FLASK)
    page = site.get()
    assert "<h1>Notes</h1>" in page.text
    assert 'data-mode="careful"' in page.text
    assert site.get("/static/style.css").status_code == 200
    assert "table notes is ready" in said
    assert site.output("release")["module"] == "app:create_app()"


def test_its_secret_is_in_the_file_and_nowhere_else(site: Clone) -> None:
    path = re.search(r'APP_CONFIG="(/etc/slipway/site/config-\w{12}\.cfg)"', env_file(site))
    assert path
    assert site.on("web", f"sudo stat -c '%a %U:%G' {path[1]}").strip() == "640 root:site"
    assert f'SECRET_KEY = "{SECRET}"' in site.on("web", f"sudo cat {path[1]}")
    assert site.on("web", "stat -c %a /etc/slipway/site/env").strip() == "600"
    assert SECRET not in site.on("web", "ps axww; sudo journalctl --no-pager")
    assert SECRET not in site.run("cat .slipway/.pulumi/stacks/*/local.json").stdout
    assert SECRET not in site.run("scripts/preview local --diff").stdout
    assert SECRET not in site.run("cat Pulumi.local.yaml").stdout


def test_a_session_is_signed_with_it(site: Clone) -> None:
    with httpx.Client(base_url=str(site.get().url), follow_redirects=True) as visitor:
        page = visitor.post("/", data={"text": "Buy milk"})
    assert "<li>Buy milk</li>" in page.text
    assert "Noted." in page.text


def test_a_changed_file_is_rolled_out_like_a_release_and_the_old_one_goes(site: Clone) -> None:
    before, code = env_file(site), site.output("release")["id"]
    # Beside the stack, where it is looked for first.
    text = (site.folder / "examples/flask/config.cfg.j2").read_text()
    (site.folder / "config.cfg.j2").write_text(text.replace('"Notes"', '"Our notes"'))
    release(site, **FLASK)
    assert "<h1>Our notes</h1>" in site.get().text
    assert site.output("release")["id"] == code
    assert env_file(site) != before
    files = site.on("web", "ls /etc/slipway/site | grep ^config-").split()
    assert len(files) == 1
    assert files[0] in env_file(site)


def test_a_mistake_in_it_is_said_before_anything_is_changed(site: Clone) -> None:
    (site.folder / "config.cfg.j2").write_text("A = 1\nB = {{ env.NO_SUCH }}\n")
    done = site.run("scripts/up local", fails=True)
    said = done.stdout + done.stderr
    assert "config.cfg.j2, line 2: 'dict object' has no attribute 'NO_SUCH'" in said
    assert SECRET not in said
    assert "<h1>Our notes</h1>" in site.get().text


def test_a_file_that_the_application_cannot_use_leaves_the_old_one_serving(site: Clone) -> None:
    (site.folder / "config.cfg.j2").write_text("raise SystemExit('no good')\n")
    site.run("scripts/up local", fails=True)
    # Also a worker that is started anew now still finds the file of its own instance.
    site.on("web", "sudo pkill -9 --parent $(pgrep --oldest --full bin.gunicorn)")
    time.sleep(2)
    assert "<h1>Our notes</h1>" in site.get().text
    (site.folder / "config.cfg.j2").unlink()


# Django


def test_django_is_migrated_and_its_static_files_are_collected(site: Clone) -> None:
    said = release(site, **DJANGO)
    assert "Applying shop.0001_products... OK" in said
    page = site.get().text
    assert "<li>Compiler</li>" in page
    style = re.search(r'href="(/static/shop/style\.\w{12}\.css)"', page)
    assert style, page
    assert "system-ui" in site.get(style[1]).text
    assert site.get(style[1]).headers["cache-control"], "nginx gave it"
    assert site.output("release")["module"] == "shop.wsgi:application"
    assert site.on("web", "find /srv/site/current/ -not -user root | head -1") == ""


def test_a_build_that_fails_ends_the_update(site: Clone) -> None:
    choose(site, **{**DJANGO, "buildCommand": "python manage.py collect"})
    done = site.run("scripts/up local", fails=True)
    said = done.stdout + done.stderr
    assert "Unknown command: 'collect'" in said
    assert "the build command failed with status 1" in said
    assert "<li>Compiler</li>" in site.get().text


# Plain WSGI, and all the ways to say which packages are needed


def test_plain_wsgi_needs_nothing_but_itself(site: Clone) -> None:
    release(site, **PLAIN)
    assert site.get().text == "Hello, whoever you are.\n"
    assert site.output("release")["module"] == "wsgi:application"


def project(site: Clone, name: str) -> str:
    """The plain example as a project of its own."""
    folder = site.folder / "examples" / name
    shutil.copytree(site.folder / "examples/plain", folder)
    for file in folder.glob("requirements.*"):
        file.unlink()
    (folder / "pyproject.toml").write_text(PACKAGE)
    return f"examples/{name}"


def test_a_lock_of_uv_says_what_is_installed(site: Clone) -> None:
    folder = project(site, "locked")
    site.run(f".venv/bin/uv lock --project {folder}")
    site.edit(f"{folder}/wsgi.py", "whoever you are", "as locked")
    release(site, **{**PLAIN, "appFolder": folder})
    assert site.get().text == "Hello, as locked.\n"
    requirements = site.on("web", "cat /srv/site/current/requirements.txt")
    assert "gunicorn==" in requirements
    assert "--hash=sha256:" in requirements
    assert "://" not in requirements


def test_a_lock_that_is_out_of_date_is_refused(site: Clone) -> None:
    site.edit("examples/locked/pyproject.toml", '"gunicorn"', '"gunicorn", "flask"')
    said = site.run("scripts/up local", fails=True)
    assert "not up to date with pyproject.toml" in said.stdout + said.stderr
    assert site.get().text == "Hello, as locked.\n"


def test_a_package_is_built_installed_and_found(site: Clone) -> None:
    folder = project(site, "packaged")
    package = site.folder / folder / "src" / "hello"
    package.mkdir(parents=True)
    (site.folder / folder / "wsgi.py").rename(package / "wsgi.py")
    site.edit(f"{folder}/src/hello/wsgi.py", "whoever you are", "from a package")
    (package / "__init__.py").write_text("")
    said = release(site, **{**PLAIN, "appFolder": folder, "appSource": "sdist"})
    assert "installing the release itself (sdist)" in said
    assert site.get().text == "Hello, from a package.\n"
    assert site.output("release")["module"] == "hello.wsgi:application"
    assert not list((site.folder / folder).rglob("*.egg-info"))
    where = "import hello; print(hello.__file__)"
    found = site.on("web", f"/srv/site/current/.venv/bin/python -c '{where}'")
    assert "/site-packages/hello/" in found


def test_a_finished_package_is_as_good(site: Clone) -> None:
    built = ".venv/bin/uv build --wheel --out-dir dist examples/packaged"
    site.edit("examples/packaged/src/hello/wsgi.py", "from a package", "from a wheel")
    site.run(built)
    wheel = "dist/hello-1.0-py3-none-any.whl"
    release(site, **{**PLAIN, "appFolder": wheel, "appSource": "sdist"})
    assert site.get().text == "Hello, from a wheel.\n"


# What goes wrong


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"appFolder": "docs"}, "nothing says which packages it needs"),
        ({"staticFolder": "../x"}, "slipway:staticFolder is ../x: must be a folder inside"),
        ({"appModule": "no_such:app"}, "the release has no module 'no_such'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    site: Clone, settings: dict[str, Any], said: str
) -> None:
    # New content, so that also what only a server can see is looked at.
    site.edit("examples/plain/wsgi.py", "without a framework", "without a frame work")
    choose(site, **{**PLAIN, **settings})
    done = site.run("scripts/up local", fails=True)
    assert said in textwrap.dedent(done.stdout + done.stderr)
    assert site.get().text == "Hello, from a wheel.\n"
    site.edit("examples/plain/wsgi.py", "without a frame work", "without a framework")
