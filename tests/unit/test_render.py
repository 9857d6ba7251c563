"""Templates become text, or one error that names the template and the line."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core import render
from components.core.errors import SlipwayError


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of our templates, to be spoiled."""
    folder = tmp_path / "templates"
    shutil.copytree(render.FOLDER, folder, ignore=shutil.ignore_patterns(render.OWN))
    monkeypatch.setattr(render, "FOLDER", folder)
    yield folder
    render._environment.cache_clear()


def complaint_about(template: str, **values: object) -> str:
    with pytest.raises(SlipwayError) as caught:
        render.render(template, **values)
    return str(caught.value)


def test_a_template_is_filled_and_keeps_its_last_line_break(templates: Path) -> None:
    (templates / "greeting").write_text("Hello {{ name }}.\n")
    assert render.render("greeting", name="Ada") == "Hello Ada.\n"


def test_a_line_that_only_holds_a_condition_leaves_no_empty_line(templates: Path) -> None:
    (templates / "greeting").write_text("one\n  {% if more %}\ntwo\n  {% endif %}\nthree\n")
    assert render.render("greeting", more=True) == "one\ntwo\nthree\n"
    assert render.render("greeting", more=False) == "one\nthree\n"


def test_what_looks_like_html_stays_as_it_is(templates: Path) -> None:
    (templates / "greeting").write_text("{{ name }}\n")
    assert render.render("greeting", name="<a & 'b'>") == "<a & 'b'>\n"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_quote_makes_one_word_of_a_shell_out_of_any_text(text: str) -> None:
    quoted = render._environment(render.FOLDER).from_string("{{ it | quote }}").render(it=text)
    assert shlex.split(quoted) == [text]


def test_a_missing_value_is_named_with_template_and_line(templates: Path) -> None:
    (templates / "broken.conf").write_text("one\ntwo {{ prot }}\n")
    assert complaint_about("broken.conf") == ("templates/broken.conf, line 2: 'prot' is undefined")


def test_a_syntax_error_is_named_with_template_and_line(templates: Path) -> None:
    (templates / "broken.conf").write_text("one\n\n{% if port %}\n{% endfor %}\n")
    assert complaint_about("broken.conf", port=1).startswith("templates/broken.conf, line 4: ")


def test_an_unknown_filter_is_named_with_template_and_line(templates: Path) -> None:
    (templates / "broken.conf").write_text("one\n{{ port | qoute }}\n")
    assert complaint_about("broken.conf", port=1) == (
        "templates/broken.conf, line 2: No filter named 'qoute'."
    )


def test_a_template_that_does_not_exist_is_named(templates: Path) -> None:
    assert "templates/no-such.conf" in complaint_about("no-such.conf")


def test_a_mistake_is_found_before_the_template_is_needed(templates: Path) -> None:
    (templates / "sshd.conf").write_text("PermitRootLogin {{ no\n")
    with pytest.raises(SlipwayError, match=r"templates/sshd\.conf, line 1: "):
        render.check_all()


def test_the_templates_as_they_are_have_no_mistake() -> None:
    render.check_all()


def test_a_template_of_ones_own_replaces_ours_by_its_name(templates: Path) -> None:
    (templates / "greeting").write_text("Hello {{ name }}.\n")
    own = templates / "own"
    own.mkdir()
    (own / "greeting").write_text("Good day, {{ name }}.\n")
    assert render.render("greeting", name="Ada") == "Good day, Ada.\n"
    render.check_all()


def test_a_mistake_in_ones_own_is_named_where_it_is(templates: Path) -> None:
    own = templates / "own"
    own.mkdir()
    (own / "sshd.conf").write_text("one\ntwo {{ prot }}\n")
    assert complaint_about("sshd.conf") == "templates/own/sshd.conf, line 2: 'prot' is undefined"
    (own / "sshd.conf").write_text("one\n{% if %}\n")
    with pytest.raises(SlipwayError, match=r"^templates/own/sshd\.conf, line 2: "):
        render.check_all()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ngnix-site.conf", "; did you mean nginx-site.conf?"),
        ("more/nginx-site.conf", "; did you mean nginx-site.conf?"),
        ("zzz", ""),
    ],
)
def test_one_that_replaces_nothing_is_refused(templates: Path, name: str, hint: str) -> None:
    (templates / "own" / name).parent.mkdir(parents=True, exist_ok=True)
    (templates / "own" / name).write_text("mine\n")
    (templates / "own" / ".gitkeep").touch()
    with pytest.raises(SlipwayError) as caught:
        render.check_all()
    assert str(caught.value) == (
        f"templates/own/{name} replaces nothing: must have the name of a file in templates/{hint}"
    )
