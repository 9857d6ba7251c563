"""The shell's own parts of the scripts: where an environment is, engines, progress, secrets."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.unit.script_project import Project, new_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


# Where an environment is


def test_our_own_python_and_engine_come_first_also_in_an_activated_environment(
    project: Project,
) -> None:
    """Whoever typed `. .venv/bin/activate` has the one on PATH, but not the other."""
    venv, engine = project.folder / ".venv/bin", "slipway/engine/bin"
    said = project.says("use_slipway_environment; echo $PATH", PATH=f"/usr/bin:/bin:{venv}")
    first, second, *rest = said.strip().split(":")
    assert (first, second.endswith(engine)) == (str(venv), True)
    assert rest == ["/usr/bin", "/bin", str(venv)]


def test_the_state_is_kept_without_side_files_which_a_kill_may_cut_short(project: Project) -> None:
    """An empty *.attrs file beside it, and the engine says "failed to load checkpoint: EOF"."""
    said = project.says("use_slipway_environment; echo $PULUMI_BACKEND_URL")
    assert said.strip() == f"file://{project.environment['SLIPWAY_HOME']}?metadata=skip"
    teams = project.says(
        "use_slipway_environment; echo $PULUMI_BACKEND_URL", PULUMI_BACKEND_URL="s3://team"
    )
    assert teams.strip() == "s3://team"


# A clone's scripts work on that clone

SHOWS = """
. scripts/lib/environment.sh; use_slipway_environment
for name in SLIPWAY_HOME PULUMI_BACKEND_URL PULUMI_CONFIG_PASSPHRASE_FILE PULUMI_HOME; do
  echo "$name=${!name}"
done
echo "token=${DIGITALOCEAN_TOKEN:-}"; echo "path=$PATH"
"""


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Project, Project]:
    """Two clones, each with state of its own in its own folder."""
    made = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        project = new_project(tmp_path / name)
        del project.environment["SLIPWAY_HOME"]
        project.is_set_up()
        token = project.folder / ".slipway/local-cloud/token"
        token.parent.mkdir(parents=True)
        token.write_text(f"token-of-{name}")
        made.append(project)
    return made[0], made[1]


def test_another_clones_scripts_use_their_own_in_an_activated_shell(
    clones: tuple[Project, Project],
) -> None:
    one, other = clones
    activated = f"source scripts/activate; cd {other.folder}; bash -c '{SHOWS}'"
    said = one.run("bash", "-c", activated)
    assert said.returncode == 0, said.stderr
    assert str(one.folder) not in said.stdout
    assert f"SLIPWAY_HOME={other.folder}/.slipway\n" in said.stdout
    assert f"PULUMI_BACKEND_URL=file://{other.folder}/.slipway?metadata=skip\n" in said.stdout
    assert "token=\n" in said.stdout


def test_the_clones_own_scripts_take_what_activate_has_set(clones: tuple[Project, Project]) -> None:
    one, _ = clones
    said = one.run("bash", "-c", f"source scripts/activate; source scripts/activate; {SHOWS}")
    assert f"SLIPWAY_HOME={one.folder}/.slipway\n" in said.stdout
    assert "token=token-of-one\n" in said.stdout


def test_what_a_person_has_set_counts_in_every_clone(clones: tuple[Project, Project]) -> None:
    one, other = clones
    activated = f"source scripts/activate; cd {other.folder}; bash -c '{SHOWS}'"
    theirs = {"PULUMI_BACKEND_URL": "s3://team", "DIGITALOCEAN_TOKEN": "real"}
    said = one.run("bash", "-c", activated, **theirs).stdout
    assert "PULUMI_BACKEND_URL=s3://team\n" in said
    assert "token=real\n" in said
    since = f"source scripts/activate; cd {other.folder}; PULUMI_BACKEND_URL=s3://team; {SHOWS}"
    assert "PULUMI_BACKEND_URL=s3://team\n" in one.run("bash", "-c", since).stdout


def test_activating_another_clone_leaves_nothing_of_the_first(
    clones: tuple[Project, Project],
) -> None:
    one, other = clones
    both = f"source scripts/activate; cd {other.folder}; source scripts/activate; {SHOWS}"
    said = one.run("bash", "-c", both).stdout
    assert str(one.folder) not in said
    assert "token=token-of-other\n" in said


@pytest.mark.parametrize("words", ["up", "-C {other} up", "--cwd={other} destroy"])
def test_plain_pulumi_refuses_in_another_clone(clones: tuple[Project, Project], words: str) -> None:
    one, other = clones
    (other.folder / "Pulumi.yaml").touch()
    where = other.folder if words == "up" else one.folder
    command = f"cd {where}; pulumi {words.format(other=other.folder)}"
    done = one.run("bash", "-c", f"source scripts/activate; {command}")
    assert done.returncode == 1
    assert f"this shell is activated for {one.folder}" in done.stderr
    assert one.called == ""


def test_plain_pulumi_works_in_the_clone_that_is_activated(
    clones: tuple[Project, Project],
) -> None:
    one, _ = clones
    one.run("bash", "-c", "source scripts/activate; cd app; pulumi config rm x")
    assert one.called == "config rm x\n"


# The engine


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("v3.259.0", True),
        ("3.200.0", True),
        ("v3.1000.0-alpha.1+dirty", True),
        ("v3.199.9", False),
        ("v3.21.0", False),
        ("v4.0.0", False),
        ("v2.200.0", False),
        ("dev", False),
        ("", False),
    ],
)
def test_an_engine_fits_from_the_oldest_one_to_the_next_big_version(
    project: Project, version: str, fits: bool
) -> None:
    engine = project.fake / "engine"
    engine.write_text(f"#!/bin/sh\necho {version}\n")
    engine.chmod(0o755)
    done = project.shell(f"if is_fitting_engine {engine}; then echo yes; else echo no; fi")
    assert done.stdout == ("yes\n" if fits else "no\n")


def test_an_engine_that_does_not_run_does_not_fit(project: Project) -> None:
    assert project.shell("is_fitting_engine /no/such/pulumi").returncode == 1


def test_an_installed_engine_is_a_persons_own_with_its_language_host(project: Project) -> None:
    own, ours = project.folder.parent / "usr", project.folder.parent / "home/slipway/engine/bin"
    for folder in (own, ours):
        folder.mkdir(parents=True)
        for name in ("pulumi", "pulumi-language-python"):
            (folder / name).write_text("#!/bin/sh\necho v3.259.0\n")
            (folder / name).chmod(0o755)
    path = f"{ours}:{own}:/usr/bin:/bin"
    assert project.says("installed_engine", PATH=path) == f"{own}\n"
    (own / "pulumi-language-python").unlink()
    assert project.shell("installed_engine", PATH=path).returncode == 1


# How the scripts talk


def test_progress_is_shown_at_each_tenth(project: Project) -> None:
    done = project.shell("seq 40 | show_progress 'compiling' 40")
    assert done.stderr.splitlines() == [
        f"slipway: compiling {count}/40" for count in range(4, 41, 4)
    ]


def test_progress_of_more_than_was_expected_never_exceeds_all_of_it(project: Project) -> None:
    shown = project.shell("seq 7 | show_progress 'compiling' 5").stderr.split()
    parts = [word.split("/") for word in shown if "/" in word]
    assert parts
    assert all(int(done) <= int(of) for done, of in parts)


def test_no_work_is_no_progress(project: Project) -> None:
    assert project.shell("show_progress 'compiling' 10 </dev/null").stderr == ""


# Secrets


def test_a_secret_is_for_this_user_alone_and_made_once(project: Project) -> None:
    path = project.folder.parent / "deep" / "folder" / "passphrase"
    project.says(f"umask 022; make_secret {path}")
    made = path.read_text()
    assert len(made) == 48
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    project.says(f"make_secret {path}")
    assert path.read_text() == made
    assert [each.name for each in path.parent.iterdir()] == ["passphrase"]


def test_a_secret_that_is_empty_was_never_made(project: Project) -> None:
    path = project.folder.parent / "passphrase"
    path.touch()
    project.says(f"make_secret {path}")
    assert len(path.read_text()) == 48


def git(project: Project, *words: str) -> str:
    person = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    done = project.run("git", *person, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_git_does_not_see_the_salt_of_this_clone(project: Project) -> None:
    project.settings("config:\n  slipway:webPort: 80\n")
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "First light")
    project.says("hide_local_salt_from_git")
    settings = project.folder / "Pulumi.local.yaml"
    settings.write_text(settings.read_text() + "encryptionsalt: v1:abc=:v1:def==\n")
    assert git(project, "diff") == ""

    settings.write_text(settings.read_text().replace("80", "81"))
    git(project, "commit", "-q", "-a", "-m", "Another port")
    committed = git(project, "show", "HEAD:Pulumi.local.yaml")
    assert committed == "config:\n  slipway:webPort: 81\n"
    assert "encryptionsalt" in settings.read_text()


def test_without_git_the_salt_needs_no_hiding(project: Project) -> None:
    project.says("hide_local_salt_from_git")


# The virtual environment


def test_a_clone_that_was_moved_gets_a_virtual_environment_anew(project: Project) -> None:
    """The programs of the old one name the folder that it was made in."""
    python = project.fake / "python3.13"
    python.write_text(
        '#!/bin/sh\n[ "$1" = -c ] && exit\necho "$*" >>"$FAKE/called"\n'
        "rm -rf .venv; mkdir -p .venv/bin\nprintf '#!/bin/sh\\nexit 3\\n' >.venv/bin/python3\n"
        "chmod +x .venv/bin/python3\n"
    )
    python.chmod(0o755)
    venv = project.folder / ".venv"
    (venv / "bin").mkdir(parents=True)
    # A file of its own, never a link: what makes it anew would write through that.
    (venv / "bin/python3").write_text("#!/bin/sh\nexit 3\n")
    (venv / "bin/python3").chmod(0o755)
    lock = (project.folder / "requirements.lock").read_bytes()
    (project.folder / "requirements-dev.lock").touch()
    wanted = hashlib.sha256(lock).hexdigest()
    (venv / "slipway-lock").write_text(f"{wanted}\n/where/it/was/.venv\n")
    done = project.run("scripts/setup")
    assert "making .venv" in done.stderr
    assert project.called == "--version\n-m venv --clear .venv\n"
    assert not (venv / "slipway-lock").exists() or done.returncode != 0


@pytest.mark.parametrize("name", ["a b", "a#b", "a%b", "a?b"])
def test_the_folder_of_a_clone_may_have_any_name(project: Project, name: str) -> None:
    home = project.folder.parent / name
    url = project.says(
        "use_slipway_environment; echo $PULUMI_BACKEND_URL", SLIPWAY_HOME=str(home)
    ).strip()
    parts = urlsplit(url)
    assert (unquote(parts.path), parts.query, parts.fragment) == (str(home), "metadata=skip", "")
    found = project.call(
        "from cli.engine import backend\nprint(backend.folder(), backend.is_our_own())",
        SLIPWAY_HOME=str(home),
        PULUMI_BACKEND_URL=url,
    )
    assert found.stdout == f"{home} True\n"
