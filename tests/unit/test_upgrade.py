"""A project takes a newer version of Slipway, and keeps what is its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.upgrade_repositories import (
    CHANGELOG,
    LINES,
    PULUMI_YAML,
    Repository,
    killed_upgrade,
    new_project,
    new_slipway,
    upgrade,
)

Said = pytest.CaptureFixture[str]
CLEAN = "all of it is staged, and nothing committed"


@pytest.fixture(scope="session")
def first_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_slipway(tmp_path_factory.mktemp("first") / "slipway").folder


@pytest.fixture
def slipway(first_version: Path, tmp_path: Path) -> Repository:
    return Repository(shutil.copytree(first_version, tmp_path / "slipway"))


@pytest.fixture
def project(slipway: Repository, tmp_path: Path) -> Repository:
    return new_project(slipway, tmp_path / "myshop")


def changed(line: int, text: str) -> str:
    return LINES.replace(f"line {line}\n", f"{text}\n")


def test_changes_of_both_are_there_afterwards(
    slipway: Repository, project: Repository, capsys: Said
) -> None:
    project.commit({"templates/nginx-site.conf": changed(2, "mine"), "notes.txt": "mine\n"})
    slipway.write({"pyproject.toml": '[project]\nversion = "0.2.0"\n', "docs/new.md": "New\n"})
    slipway.write({"docs/one.md": None, "logo.png": b"\x89PNG\0two"})
    slipway.commit({"templates/nginx-site.conf": changed(19, "theirs")})
    assert upgrade(project) == 0
    both = changed(2, "mine").replace("line 19\n", "theirs\n")
    assert project.text("templates/nginx-site.conf") == both
    assert project.text("docs/new.md") == "New\n"
    assert not (project.folder / "docs/one.md").exists()
    assert (project.folder / "logo.png").read_bytes() == b"\x89PNG\0two"
    assert project.text("notes.txt") == "mine\n"
    said = capsys.readouterr().err
    assert "slipway: from 0.1.0 (" in said
    assert "to 0.2.0 (" in said
    assert "files 3 changed, 2 new, 1 deleted" in said
    assert CLEAN in said


def test_nothing_is_committed_and_git_proposes_a_message(
    slipway: Repository, project: Repository
) -> None:
    slipway.commit({"docs/new.md": "New\n"})
    before = project.git("rev-parse", "HEAD")
    assert upgrade(project) == 0
    assert project.git("rev-parse", "HEAD") == before
    assert project.status == "A  .upstream.toml\nA  docs/new.md"
    project.git("commit", "--no-edit")
    assert project.git("log", "-1", "--format=%s").startswith("Upgrade Slipway to 0.1.0 (")
    assert project.git("log", "--format=%s", "--grep=A change").count("\n") == 0, (
        "no history of ours"
    )


def test_the_name_of_the_project_is_no_conflict(slipway: Repository, project: Repository) -> None:
    more = PULUMI_YAML.replace("default: site\n", "default: site\n  appFolder:\n    default: app\n")
    more = more.replace("description: Environments", "description: All of the environments")
    slipway.commit({"Pulumi.yaml": more})
    before = project.text("Pulumi.yaml")
    assert upgrade(project) == 0
    assert project.text("Pulumi.yaml") == before.replace(
        "default: site\n", "default: site\n  appFolder:\n    default: app\n"
    )


def test_a_clone_that_was_renamed_by_hand_keeps_its_name(
    slipway: Repository, tmp_path: Path
) -> None:
    slipway.git("clone", "--quiet", str(slipway.folder), str(tmp_path / "myshop"))
    project = Repository(tmp_path / "myshop")
    mine = PULUMI_YAML.replace("name: slipway", "name: myshop")
    project.commit({"Pulumi.yaml": mine})
    slipway.commit({"Pulumi.yaml": PULUMI_YAML.replace("python", "python3")})
    assert upgrade(project, "--from", str(slipway.folder)) == 0
    assert project.text("Pulumi.yaml") == mine.replace("python", "python3")


def test_a_conflict_is_shown_as_git_shows_it(
    slipway: Repository, project: Repository, capsys: Said
) -> None:
    project.commit({"README.md": changed(5, "mine"), "logo.png": b"\x89PNG\0mine"})
    slipway.commit(
        {"README.md": changed(5, "theirs"), "logo.png": b"\x89PNG\0theirs", "docs/new.md": "New\n"}
    )
    assert upgrade(project) == 1
    sides = "<<<<<<< upgrade/yours\nmine\n=======\ntheirs\n>>>>>>> upgrade/slipway-0.1.0\n"
    assert project.text("README.md") == changed(5, sides.rstrip())
    assert (project.folder / "logo.png").read_bytes() == b"\x89PNG\0mine"
    assert project.status == ("A  .upstream.toml\nUU README.md\nA  docs/new.md\nUU logo.png")
    said = capsys.readouterr().err
    assert "slipway: CONFLICT (content): Merge conflict in README.md\n" in said
    assert "git reset --hard takes all of it back: README.md, logo.png" in said
    assert CLEAN not in said

    project.git("reset", "--hard", "--quiet")
    assert project.status == ""
    assert not (project.folder / "docs/new.md").exists()


def test_the_next_upgrade_begins_where_the_last_one_ended(
    slipway: Repository, project: Repository
) -> None:
    project.commit({"README.md": changed(5, "mine")})
    slipway.commit({"README.md": changed(5, "theirs")})
    assert upgrade(project) == 1
    project.commit({"README.md": changed(5, "both")})
    slipway.commit({"README.md": changed(5, "theirs").replace("line 19\n", "later\n")})
    assert upgrade(project) == 0
    assert project.text("README.md") == changed(5, "both").replace("line 19\n", "later\n")
    assert f'address = "{slipway.folder}"' in project.text(".upstream.toml")


def test_what_the_project_has_stays_when_there_is_nothing_newer(
    slipway: Repository, project: Repository, capsys: Said
) -> None:
    old = slipway.git("rev-parse", "HEAD~1")
    assert upgrade(project) == 0
    assert upgrade(project, "--to", old) == 1
    assert project.status == ""
    said = capsys.readouterr().err
    assert "nothing to do: the project has 0.1.0 (" in said
    assert "is older than what the project has" in said


def test_application_environments_and_own_templates_are_never_touched(
    slipway: Repository, project: Repository, capsys: Said
) -> None:
    own = {"app/wsgi.py": changed(5, "mine"), "templates/own/nginx-site.conf": "mine\n"}
    project.commit({**own, "Pulumi.local.yaml": "config: {myshop:webPort: 8081}\n"})
    project.commit({"Pulumi.shop.yaml": "config: {}\n"})
    slipway.commit(
        {"app/wsgi.py": changed(5, "theirs"), "app/new.py": "New\n", "Pulumi.local.yaml": "new\n"}
        | {"Pulumi.staging.yaml": "new\n", "Pulumi.shop.yaml": "new\n"}
        | {"templates/own/pg_hba.conf": "new\n", "templates/nginx-site.conf": "new\n"}
    )
    assert upgrade(project) == 0
    assert project.status == "A  .upstream.toml\nM  templates/nginx-site.conf"
    said = capsys.readouterr().err
    assert "templates/own/nginx-site.conf stands for a template that has changed: git diff " in said
    command = said.partition("has changed: git ")[2].splitlines()[0].split()
    assert "+new" in project.git(*command)


def test_the_difference_of_a_replaced_template_is_shown_from_within_a_larger_repository(
    slipway: Repository, tmp_path: Path, capsys: Said
) -> None:
    project = new_project(slipway, tmp_path / "all", within="servers")
    project.commit({"templates/own/nginx-site.conf": "mine\n"})
    slipway.commit({"templates/nginx-site.conf": "new\n"})
    assert upgrade(project, "--dry-run") == 0
    command = capsys.readouterr().err.partition("has changed: git ")[2].splitlines()[0].split()
    assert "+new" in project.git(*command)


def test_what_the_project_has_deleted_stays_deleted(
    slipway: Repository, project: Repository, capsys: Said
) -> None:
    project.commit({"bench/run": None, "bench/plot": None, "docs/one.md": None})
    slipway.commit(
        {"bench/run": "New\n", "bench/more/hosts": "New\n", "docs/one.md": "New\n"}
        | {"docs/three.md": "New\n"}
    )
    assert upgrade(project) == 0
    assert project.status == "A  .upstream.toml\nA  docs/three.md"
    assert "that stay away, for the project has deleted them: 3" in capsys.readouterr().err


def test_a_file_that_the_project_has_renamed_takes_changes_there(
    slipway: Repository, project: Repository
) -> None:
    project.git("mv", "docs/one.md", "docs/first.md")
    project.commit({})
    slipway.commit({"docs/one.md": f"One\n{changed(9, 'theirs')}"})
    assert upgrade(project) == 0
    assert project.text("docs/first.md") == f"One\n{changed(9, 'theirs')}"
    assert not (project.folder / "docs/one.md").exists()


def test_a_file_becomes_executable(slipway: Repository, project: Repository) -> None:
    (slipway.folder / "bench/run").chmod(0o755)
    slipway.commit({})
    assert upgrade(project) == 0
    assert (project.folder / "bench/run").stat().st_mode & 0o100
    assert (project.folder / "scripts/up").stat().st_mode & 0o100


def test_a_file_that_gitattributes_names_as_ones_own_is_no_conflict(
    slipway: Repository, project: Repository
) -> None:
    project.commit({".gitattributes": "README.md merge=ours\n", "README.md": "My shop\n"})
    slipway.commit({"README.md": changed(5, "theirs")})
    assert upgrade(project) == 0
    assert project.text("README.md") == "My shop\n"


def test_a_project_in_a_folder_of_another_repository(slipway: Repository, tmp_path: Path) -> None:
    project = new_project(slipway, tmp_path / "all", within="servers")
    slipway.commit({"README.md": changed(5, "theirs")})
    assert upgrade(project) == 0
    assert project.text("README.md") == changed(5, "theirs")
    assert project.status == "A  servers/.upstream.toml\nM  servers/README.md"


# Which version


def test_the_base_is_the_version_most_like_the_project(
    slipway: Repository, project: Repository, capsys: Said
) -> None:
    project.commit({"README.md": "mine\n", "docs/one.md": None})
    made = slipway.git("rev-parse", "--short=7", "HEAD")
    slipway.commit({"docs/two.md": None})
    slipway.commit({"docs/three.md": "Three\n"})
    assert upgrade(project) == 0
    said = capsys.readouterr().err
    assert f"the version most like this project is 0.1.0 ({made}): 12 of its 13 files" in said
    assert project.status == "A  .upstream.toml\nA  docs/three.md\nD  docs/two.md"


def test_the_base_is_found_on_a_side_branch_that_was_merged(
    slipway: Repository, tmp_path: Path, capsys: Said
) -> None:
    slipway.git("checkout", "--quiet", "-b", "side")
    made = slipway.commit({"docs/two.md": "Two on its side\n"})
    project = new_project(slipway, tmp_path / "myshop")
    slipway.git("checkout", "--quiet", "main")
    slipway.commit({"docs/one.md": "One on main\n"})
    slipway.git("merge", "--quiet", "--no-edit", "side")
    assert upgrade(project) == 0
    assert f"({made[:7]})" in capsys.readouterr().err
    assert project.text("docs/one.md") == "One on main\n"


def test_a_base_can_be_named(slipway: Repository, project: Repository, capsys: Said) -> None:
    first = slipway.git("rev-list", "--max-parents=0", "HEAD")
    slipway.commit({"docs/three.md": "Three\n"})
    assert upgrade(project, "--base", first) == 0
    assert f"from 0.1.0 ({first[:7]})" in capsys.readouterr().err


def test_a_project_of_something_else_is_refused(
    project: Repository, tmp_path: Path, capsys: Said
) -> None:
    other = Repository(tmp_path / "other")
    other.init()
    other.commit({f"file-{number}": f"{number}\n" for number in range(30)})
    assert upgrade(project, "--from", str(other.folder)) == 1
    assert project.status == ""
    assert "its files are like none: name it with --base" in capsys.readouterr().err


def test_it_goes_to_the_newest_version_or_to_the_one_that_is_named(
    slipway: Repository, project: Repository
) -> None:
    for number in ("0.2.0", "0.10.0", "0.9.0"):
        slipway.commit({"docs/version.md": number}, f"v{number}")
    slipway.commit({"docs/version.md": "not a version yet"})
    slipway.git("checkout", "--quiet", "-b", "topic")
    assert upgrade(project, "--to", "0.2.0") == 0
    assert project.text("docs/version.md") == "0.2.0"
    project.commit({})
    assert upgrade(project, "--to", "main") == 0
    assert project.text("docs/version.md") == "not a version yet"
    project.git("reset", "--hard", "--quiet")
    slipway.git("checkout", "--quiet", "main")
    slipway.git("reset", "--hard", "--quiet", "v0.10.0")
    assert upgrade(project) == 0
    assert project.text("docs/version.md") == "0.10.0"


def test_an_unknown_version_is_named_with_those_there_are(
    slipway: Repository, project: Repository, capsys: Said
) -> None:
    slipway.commit({"docs/version.md": "2"}, "v0.2.0")
    assert upgrade(project, "--to", "v0.2.1") == 1
    said = capsys.readouterr().err
    assert "there is no version 'v0.2.1': must be one of v0.2.0, a branch or a commit" in said
    assert said.endswith("; did you mean v0.2.0?\n")


# What is looked at first, and what goes wrong


def test_a_dry_run_says_everything_and_changes_nothing(
    slipway: Repository, project: Repository, capsys: Said
) -> None:
    project.commit({"README.md": changed(5, "mine")})
    entry = f"{CHANGELOG}- Two,\n  on two lines.\n\n### Fixed\n\n- Three.\n"
    slipway.commit({"README.md": changed(5, "theirs"), "CHANGELOG.md": entry})
    assert upgrade(project, "--dry-run") == 1
    said = capsys.readouterr()
    assert said.out == (
        "## Unreleased\n\n### Added\n- Two,\n  on two lines.\n\n### Fixed\n- Three.\n"
    )
    assert "CONFLICT (content): Merge conflict in README.md" in said.err
    assert said.err.endswith("slipway: nothing has been changed\n")
    assert project.status == ""


def test_changes_that_are_not_committed_are_refused(
    slipway: Repository, project: Repository, capsys: Said
) -> None:
    slipway.commit({"docs/new.md": "New\n"})
    project.write({"README.md": "mine\n"})
    assert upgrade(project) == 1
    assert project.status == "M README.md"
    said = capsys.readouterr().err
    assert said == (
        "slipway: these have changes that are not committed: README.md; git commit or git stash"
        " them\n"
    )


def test_a_file_that_git_does_not_know_is_not_written_over(
    slipway: Repository, project: Repository, capsys: Said
) -> None:
    slipway.commit({"docs/new.md": "New\n", "docs/before.md": "New\n"})
    project.write({"docs/new.md": "mine\n"})
    assert upgrade(project) == 1
    assert "'docs/new.md' would be overwritten" in capsys.readouterr().err
    assert project.status == "?? docs/new.md"
    project.write({"docs/new.md": None})
    assert upgrade(project) == 0


def test_without_git_it_says_so(
    project: Repository, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert upgrade(project) == 1
    assert capsys.readouterr().err.startswith("slipway: git is not installed")


@pytest.mark.parametrize("init", [False, True])
def test_a_project_that_git_does_not_have_is_told_what_to_do(
    project: Repository, init: bool, capsys: Said
) -> None:
    (project.folder / ".git").rename(project.folder.parent / "away")
    if init:
        project.init()
    assert upgrade(project) == 1
    said = capsys.readouterr().err
    assert said.startswith("slipway: an upgrade needs the project in git (")
    assert 'git init && git add --all && git commit -m "As it was made", then again\n' in said


def test_where_slipway_comes_from_has_to_be_known(project: Repository, capsys: Said) -> None:
    project.commit({"Pulumi.yaml": PULUMI_YAML})
    assert upgrade(project) == 1
    assert "where Slipway comes from is not known" in capsys.readouterr().err
    assert upgrade(project, "--from", "/nowhere/slipway") == 1
    assert "slipway: /nowhere/slipway cannot be fetched: fatal: " in capsys.readouterr().err
    assert upgrade(project, "--from", "https://ada:hunter2@example.org/slipway") == 1
    said = capsys.readouterr().err
    assert "the address …@example.org/slipway has a password, and would be committed" in said
    assert "hunter2" not in said
    assert project.status == ""


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        ("address = 1\n", ".upstream.toml: address is 1: must be a text"),
        ("address =\n", ".upstream.toml is not valid TOML: "),
        ('commit = "0123456789"\n', ".upstream.toml: commit is '0123456789': Slipway has none"),
    ],
)
def test_a_record_that_is_wrong_is_named(
    project: Repository, record: str, complaint: str, capsys: Said
) -> None:
    project.commit({".upstream.toml": record})
    assert upgrade(project) == 1
    assert capsys.readouterr().err.startswith(f"slipway: {complaint}")


def test_an_unknown_argument_is_named_with_those_there_are(
    project: Repository, capsys: Said
) -> None:
    assert upgrade(project, "--too", "0.2.0") == 1
    assert capsys.readouterr().err == (
        "slipway: unknown argument '--too' (allowed: --to VERSION, --from ADDRESS,"
        " --base VERSION, --dry-run, --help)\n"
    )


def test_a_run_that_was_killed_is_made_good_by_the_next_one(
    slipway: Repository, project: Repository, tmp_path: Path, capsys: Said
) -> None:
    project.commit({"templates/nginx-site.conf": changed(2, "mine")})
    slipway.commit({"templates/nginx-site.conf": changed(19, "theirs"), "docs/new.md": "New\n"})
    killed_upgrade(project, tmp_path / "fakes")
    assert "docs/new.md" in project.status
    project.write({"docs/new.md": "cut o"})
    assert upgrade(project) == 0
    assert project.status == ("A  .upstream.toml\nA  docs/new.md\nM  templates/nginx-site.conf")
    assert project.text("docs/new.md") == "New\n"
    assert "an upgrade was cut off: what it had written is in git stash" in capsys.readouterr().err
    assert project.git("show", "stash@{0}^3:docs/new.md") == "cut o"


def test_what_was_changed_after_a_killed_run_is_refused_not_lost(
    slipway: Repository, project: Repository, tmp_path: Path, capsys: Said
) -> None:
    slipway.commit({"docs/new.md": "New\n"})
    killed_upgrade(project, tmp_path / "fakes")
    project.write({"README.md": "mine, since then\n"})
    assert upgrade(project) == 1
    assert project.text("README.md") == "mine, since then\n"
    assert "not committed: README.md" in capsys.readouterr().err
