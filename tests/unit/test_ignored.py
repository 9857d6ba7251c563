"""What git ignores is not released, with git and without; .slipwayignore has the last word."""

import subprocess
from pathlib import Path

import pytest

from components.release import artifact

CASES = ("git", "no git")


@pytest.fixture(params=CASES)
def asked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same must hold where there is no git on the machine."""
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # as in a hook: it is about another repository
    return str(request.param)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return init(tmp_path / "repository")


@pytest.fixture
def app(repository: Path) -> Path:
    return write(repository / "site", {"requirements.txt": "", "wsgi.py": ""})


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def git(folder: Path, *words: str) -> None:
    settings = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(
        ["git", *settings, "-C", str(folder), *words],
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere"},
    )


def init(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    return folder


def released(app: Path, asked: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> set[str]:
    """What is released besides requirements.txt and wsgi.py."""
    if asked != "git":
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    copied = tmp_path / "copied"
    artifact.copy(app, copied)
    names = {path.relative_to(copied).as_posix() for path in copied.rglob("*") if path.is_file()}
    assert names >= {"requirements.txt", "wsgi.py"}
    return names - {"requirements.txt", "wsgi.py"}


Released = tuple[Path, str, pytest.MonkeyPatch, Path]


@pytest.fixture
def here(app: Path, asked: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Released:
    return app, asked, monkeypatch, tmp_path


def test_the_rules_of_the_top_of_each_folder_and_of_this_clone_count(
    here: Released, app: Path, repository: Path
) -> None:
    write(repository, {".gitignore": "/site/secrets.toml\n", ".git/info/exclude": "*.local\n"})
    write(app, {"secrets.toml": "", "deep/secrets.toml": "", "my.local": "", "deep/my.local": ""})
    write(app, {"static/.gitignore": "*.map\n", "static/js/app.js.map": "", "app.js.map": ""})
    write(app, {"config/.gitignore": "production.key\n", "config/production.key": ""})
    write(app, {"static/js/deep/.gitignore": "!kept.map\n", "static/js/deep/kept.map": ""})
    assert released(*here) == {"deep/secrets.toml", "app.js.map", "static/js/deep/kept.map"}


def test_what_was_left_out_is_told_with_the_reason(app: Path, repository: Path) -> None:
    write(repository, {".gitignore": "*.key\nbuilt/\n"})
    write(app, {"a.key": "", "built/a": "", "notes/a": "", ".env": "", "kept.key": ""})
    write(app, {".slipwayignore": "notes/\n!kept.key\n"})
    told = {each.name: each.why for each in artifact.left_out(app)}
    assert told.pop(".slipwayignore") == told.pop(".env") == "never released"
    assert told == {
        "a.key": "git ignores it",
        "built/": "git ignores it",
        "notes/": ".slipwayignore names it",
    }


@pytest.mark.parametrize(
    ("asked", "kept"), [("git", {"a.key"}), ("no git", set())], indirect=["asked"]
)
def test_what_is_tracked_is_released_where_git_can_say_so(
    here: Released, app: Path, repository: Path, kept: set[str]
) -> None:
    write(repository, {".gitignore": "*.key\n"})
    write(app, {"a.key": "", "b.key": ""})
    git(repository, "add", "--force", "site/a.key")
    assert released(*here) == kept


def test_slipwayignore_brings_back_a_folder_in_one_that_git_ignores_as_a_whole(
    here: Released, app: Path, repository: Path
) -> None:
    write(repository, {".gitignore": "static/\n*.key\n"})
    write(app, {"static/dist/deep/a.js": "", "static/dist/a.key": "", "static/b.js": ""})
    write(
        app,
        {"static/src/a.js": "", "static/src/dist/a.js": "", ".slipwayignore": "!static/dist/\n"},
    )
    write(app, {"static/dist/deep/.gitignore": "*.map\n", "static/dist/deep/a.map": ""})
    assert released(*here) == {"static/dist/deep/a.js"}


def test_slipwayignore_brings_back_what_is_alone_in_its_folder(here: Released, app: Path) -> None:
    write(app, {".gitignore": "*.map\n", "js/a.map": "", "b.map": "", ".slipwayignore": "!*.map\n"})
    assert released(*here) == {"js/a.map", "b.map"}


def test_what_slipwayignore_brings_back_is_not_what_else_git_ignores_there(
    here: Released, app: Path
) -> None:
    write(app, {".gitignore": "*.key\n", "config/a.key": "", "config/a.toml": ""})
    write(app, {".slipwayignore": "!config/\n"})
    assert released(*here) == {"config/a.toml"}


def test_a_rule_for_a_folder_takes_nothing_from_the_rules_for_what_is_in_it(
    here: Released, app: Path, repository: Path
) -> None:
    write(repository, {".gitignore": "conf*\ndeep/\n!/site/one/\n"})
    write(app, {".gitignore": "!config/\n", "config/a": "", "config/config.key": ""})
    write(app, {"one/a": "", "one/deep/b": "", "one/deep/er/b": ""})
    assert released(*here) == {"config/a", "one/a"}


def test_only_what_is_named_may_be_released(here: Released, app: Path) -> None:
    write(
        app, {".gitignore": "*\n!*/\n!*.py\n!requirements.txt\n", "a/b/c.py": "", "a/b/c.key": ""}
    )
    assert released(*here) == {"a/b/c.py"}


def test_slipwayignore_leaves_out_what_is_tracked(
    here: Released, app: Path, repository: Path
) -> None:
    write(app, {".slipwayignore": "tests/\n*.md\n!README.md\n", "tests/a": "", "a.md": ""})
    write(app, {"README.md": "", "deep/b.md": ""})
    git(repository, "add", ".")
    assert released(*here) == {"README.md"}


@pytest.mark.parametrize("rule", ["/site/", "*"])
def test_a_folder_that_is_itself_ignored_has_only_its_own_rules(
    here: Released, app: Path, repository: Path, rule: str
) -> None:
    write(repository, {".gitignore": f"{rule}\n*.key\n"})
    write(app, {".gitignore": "*.log\n", "a.log": "", "a.key": ""})
    assert released(*here) == {"a.key"}


def test_a_folder_deep_in_an_ignored_one_has_only_its_own_rules(
    repository: Path, asked: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(repository, {".gitignore": ".slipway/\n"})
    app = write(
        repository / ".slipway/packages/0123",
        {"requirements.txt": "", "wsgi.py": "", ".gitignore": "*.log\n", "a.log": "", "a.txt": ""},
    )
    assert released(app, asked, monkeypatch, tmp_path) == {"a.txt"}


def test_a_submodule_and_a_clone_have_their_own_rules(
    here: Released, app: Path, repository: Path, tmp_path: Path
) -> None:
    module = write(init(tmp_path / "module"), {".gitignore": "*.log\n", "a.py": ""})
    git(module, "add", ".")
    git(module, "commit", "--quiet", "--message", "a")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", str(module), "site/one")
    git(app, "clone", "--quiet", str(module), "two")
    write(repository, {".gitignore": "*.py\n!wsgi.py\n"})
    for name in ("one", "two"):
        write(app / name, {"a.log": "", "b.py": ""})
    (app / "one/.git").read_text()
    write(repository / ".git/modules/site/one", {"info/exclude": "mine\n"})
    write(app, {"one/mine": "", "two/mine": "", "c.py": ""})
    assert released(*here) == {"one/a.py", "one/b.py", "two/a.py", "two/b.py", "two/mine"}


def test_a_persons_own_rules_do_not_count(
    here: Released, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"home/git/ignore": "*.txt\n"})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    write(app, {"a.txt": ""})
    assert released(*here) == {"a.txt"}


def test_a_repository_that_git_refuses_is_read_from_its_files(
    app: Path, repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(repository, {".gitignore": "*.key\n", ".git/config": "[broken\n"})
    write(app, {"a.key": "", "a.txt": ""})
    assert released(app, "git", monkeypatch, tmp_path) == {"a.txt"}


def test_without_a_repository_git_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a process was started"))
    write(tmp_path, {".gitignore": "*.txt\n"})
    app = write(tmp_path / "site", {"requirements.txt": "", "wsgi.py": ""})
    write(app, {"a/.gitignore": "*.key\n", "a/a.key": "", "a/b.txt": ""})
    assert released(app, "git", monkeypatch, tmp_path) == {"a/b.txt"}
