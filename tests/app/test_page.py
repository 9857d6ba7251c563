"""What a visitor and a health check see."""

import subprocess
from collections.abc import Callable

import httpx
import pytest

from tests.app.conftest import PostgreSQL

ReleaseCommand = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def released(release_command: ReleaseCommand, site: httpx.Client) -> httpx.Client:
    assert release_command().wait(20) == 0
    return site


def test_the_page_lists_the_two_users(released: httpx.Client) -> None:
    page = released.get("/")
    assert page.status_code == 200
    assert page.text.index("Ada Lovelace") < page.text.index("Grace Hopper")


def test_the_page_says_which_release_it_is(released: httpx.Client) -> None:
    assert "<code>0123456789ab</code>" in released.get("/").text


def test_the_page_can_be_read_on_a_phone_and_aloud(released: httpx.Client) -> None:
    text = released.get("/").text
    for part in ('<html lang="en">', 'name="viewport"', "<title>Users</title>", "<main>", "<h1>"):
        assert part in text


def test_the_style_is_a_static_file(released: httpx.Client) -> None:
    assert '"/static/style.css"' in released.get("/").text
    style = released.get("/static/style.css")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")


def test_a_name_is_shown_as_text_whatever_it_holds(
    released: httpx.Client, database: PostgreSQL
) -> None:
    database.ask("INSERT INTO users (name) VALUES ('<b>Bold</b>')")
    assert "&lt;b&gt;Bold&lt;/b&gt;" in released.get("/").text


def test_without_users_the_page_says_so(released: httpx.Client, database: PostgreSQL) -> None:
    database.ask("DELETE FROM users")
    assert "Nobody yet." in released.get("/").text


def test_it_is_healthy_once_the_release_command_ran(
    site: httpx.Client, release_command: ReleaseCommand
) -> None:
    assert site.get("/healthz").status_code == 503
    assert release_command().wait(20) == 0
    health = site.get("/healthz")
    assert (health.status_code, health.text) == (200, "ok: 2 users, release 0123456789ab\n")


def test_a_database_out_of_reach_is_said_and_soon_over(
    released: httpx.Client, database: PostgreSQL, log_of_site: Callable[[], str]
) -> None:
    assert released.get("/healthz").status_code == 200
    database.stop()
    try:
        assert released.get("/healthz").status_code == 503
        page = released.get("/")
        assert page.status_code == 503
        assert "The database is out of reach" in page.text
        assert "secret" not in page.text + log_of_site()
    finally:
        database.start()
    assert released.get("/healthz").status_code == 200
