"""Staging: a release lies on the server as a whole, or not at all."""

import hashlib
import io
import json
import os
import shlex
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.release.artifact import pack
from components.release.dependencies import uv
from components.release.source import Source
from tests.unit.python_packages import package_in, wheel
from tests.unit.releasectl_host import Host, new_host

NO_RELEASE = "0" * 12


@pytest.fixture
def host() -> Iterator[Host]:
    with new_host() as made:
        yield made


def hostile_archive(host: Host, *members: tarfile.TarInfo) -> str:
    incoming = host.base / "incoming"
    incoming.mkdir(parents=True)
    with tarfile.open(incoming / f"{NO_RELEASE}.tar.gz", "w:gz") as tar:
        for member in members:
            content = b"evil" if member.isreg() else b""
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return NO_RELEASE


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def nothing_is_left(host: Host) -> bool:
    return host.names("releases") == [] and host.names("venvs") == []


def test_a_staged_release_is_ready_and_its_record_is_kept(host: Host) -> None:
    release = host.upload()
    record = json.dumps({"commit": "1" * 40, "author": "Ada", "message": "Faster", "dirty": True})
    staged = host.run("stage", release, record=record)
    assert staged.result["changed"] is True
    [listed] = host.run("list", "--json").result["releases"]
    assert (listed["id"], listed["state"], listed["author"]) == (release, "ready", "Ada")
    assert host.names("incoming") == []
    noted = host.history()[-1]
    assert (noted["by"], noted["outcome"], noted["commit"]) == ("ada", "ok", "1" * 40)
    assert (noted["author"], noted["message"], noted["dirty"]) == ("Ada", "Faster", True)
    assert 0 <= noted["seconds"] < 60


def test_the_history_says_from_where_also_where_sudo_forgot_it(host: Host) -> None:
    host.env["SSH_CLIENT"] = "192.0.2.7 50000 22"
    host.run("stage", host.upload())
    as_sudo_does = ["env", "-u", "SSH_CLIENT", *host.command("stage", host.upload("two"))]
    below_the_shell = f"{shlex.join(as_sudo_does)}; true"
    assert host.run_command(["sh", "-c", below_the_shell]).status == 0
    assert [each["from"] for each in host.history()] == ["192.0.2.7"] * 2


def test_who_it_was_can_be_said_by_a_file(host: Host) -> None:
    host.env["SUDO_USER"] = "deploy"
    said = host.root / "updated-by"
    said.write_text("grace@desk\n")
    host.run("--by", f"@{said}", "stage", host.upload())
    said.unlink()
    host.run("--by", f"@{said}", "stage", host.upload("two"))
    assert [each["by"] for each in host.history()] == ["grace@desk", "deploy"]


def test_whatever_artifact_packs_has_the_same_id_here(host: Host, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "static" / "ünïcode folder").mkdir(parents=True)
    (source / "requirements.txt").write_text("")
    (source / "wsgi.py").write_text("app = 1\n")
    (source / "manage").write_text("#!/bin/sh\n")
    (source / "manage").chmod(0o700)
    (source / "static" / "ünïcode folder" / ("long" * 40)).write_bytes(os.urandom(100_000))
    (source / "static" / "again").symlink_to("ünïcode folder")
    (source / "a.b").write_text("")
    (source / "a").mkdir()
    (source / "a" / "empty").write_text("")
    artifact = pack(source, host.base / "incoming")
    host.run("stage", artifact.id)
    unpacked = host.base / "releases" / artifact.id
    assert (unpacked / "static" / "again" / ("long" * 40)).stat().st_size == 100_000
    assert os.access(unpacked / "manage", os.X_OK)


def test_a_ready_release_needs_no_archive_any_more(host: Host) -> None:
    release = host.upload()
    host.run("stage", release)
    again = host.run("stage", release)
    assert again.result["changed"] is False
    assert len(host.history()) == 1


def test_the_application_may_read_but_not_write_its_code(host: Host) -> None:
    umask = os.umask(0o077)
    try:
        release = host.upload(files={"static/style.css": "body {}"})
        host.run("stage", release)
    finally:
        os.umask(umask)
    for path in (host.base / "releases" / release).rglob("*"):
        if not path.is_symlink() and ".venv" not in path.parts:
            mode = path.stat().st_mode
            assert mode & 0o022 == 0, path
            assert mode & 0o044 == 0o044, path
            assert path.stat().st_uid == os.geteuid()
            assert not stat.S_ISDIR(mode) or mode & 0o055 == 0o055


def test_the_code_is_compiled_because_the_application_cannot(host: Host) -> None:
    release = host.upload()
    host.run("stage", release)
    assert list((host.base / "releases" / release / "__pycache__").glob("wsgi.*.pyc"))


def test_releases_with_the_same_requirements_share_a_venv(host: Host) -> None:
    first = host.upload("one")
    assert "installing" in host.run("stage", first).told
    second = host.upload("two")
    assert "installing" not in host.run("stage", second).told
    third = host.upload("three", files={"requirements.txt": "# none\n"})
    host.run("stage", third)
    venvs = [
        (host.base / "releases" / release / ".venv").resolve() for release in (first, second, third)
    ]
    assert venvs[0] == venvs[1] != venvs[2]
    assert (venvs[0] / "bin" / "python").exists()


def test_a_venv_that_is_gone_is_made_again(host: Host) -> None:
    release = host.upload()
    host.run("stage", release)
    shutil.rmtree(host.base / "venvs")
    assert host.run("stage", release).result["changed"] is False
    assert (host.base / "releases" / release / ".venv" / "bin" / "python").exists()


def test_a_missing_archive_is_named(host: Host) -> None:
    told = host.fails("stage", NO_RELEASE).told
    assert f"incoming/{NO_RELEASE}.tar.gz: no such archive" in told
    assert nothing_is_left(host)


def test_an_archive_of_another_release_is_refused(host: Host) -> None:
    release = host.upload()
    archive = host.base / "incoming" / f"{release}.tar.gz"
    failed = host.fails("stage", NO_RELEASE, "--archive", str(archive))
    assert f"contains release {release}, not {NO_RELEASE}" in failed.told
    assert nothing_is_left(host)


@pytest.mark.parametrize("part", [0, 10, 0.5, 0.98])
def test_a_broken_upload_is_refused(host: Host, part: float) -> None:
    release = host.upload(files={"data": "".join(map(str, range(20_000)))})
    archive = host.base / "incoming" / f"{release}.tar.gz"
    content = archive.read_bytes()
    archive.write_bytes(content[: int(part * len(content)) if part < 1 else int(part)])
    assert "broken archive" in host.fails("stage", release).told
    assert nothing_is_left(host)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([member("../evil")], "not a path inside the release"),
        ([member("a/../../evil")], "not a path inside the release"),
        ([member("/tmp/evil")], "not a path inside the release"),
        ([member("link", tarfile.SYMTYPE, "/etc")], "leads out of the release, to '/etc'"),
        ([member("link", tarfile.SYMTYPE, "../x")], "leads out of the release, to '../x'"),
        (
            [member("d/up", tarfile.SYMTYPE, ".."), member("out", tarfile.SYMTYPE, "d/up/../x")],
            "out: the symlink leads out of the release",
        ),
        ([member("a", tarfile.SYMTYPE, "b"), member("a/evil")], "goes through a symlink"),
        ([member("a"), member("b", tarfile.LNKTYPE, "a")], "only files, folders and symlinks"),
        ([member("dev", tarfile.CHRTYPE)], "only files, folders and symlinks"),
        ([member("pipe", tarfile.FIFOTYPE)], "only files, folders and symlinks"),
        ([member(".slipway/READY")], "this name is reserved for releasectl"),
        ([member(".venv/bin/python")], "this name is reserved for releasectl"),
        ([member("a"), member("a")], "broken archive"),
        ([member("a"), member("a/b")], "a"),
    ],
)
def test_an_archive_cannot_reach_out_of_its_release(
    host: Host, members: list[tarfile.TarInfo], message: str
) -> None:
    failed = host.fails("stage", hostile_archive(host, *members))
    assert message in failed.told
    assert nothing_is_left(host)
    assert list(host.root.rglob("evil")) == []


def test_a_release_without_requirements_is_refused(host: Host) -> None:
    release = hostile_archive(host, member("wsgi.py"))
    archive = host.base / "incoming" / f"{release}.tar.gz"
    true_id = host.fails("stage", release).told.split("contains release ")[1][:12]
    failed = host.fails("stage", true_id, "--archive", str(archive))
    assert "the release has no requirements.txt" in failed.told
    assert nothing_is_left(host)


def test_packages_that_cannot_be_installed_are_told_in_the_words_of_uv(host: Host) -> None:
    release = host.upload(files={"requirements.txt": "flask == not.a.version\n"})
    told = host.fails("stage", release).told
    assert "the packages cannot be installed; uv says:" in told
    assert "not.a.version" in told
    assert nothing_is_left(host)


def test_a_missing_uv_is_named(host: Host) -> None:
    release = host.upload()
    host.env["PATH"] = "/usr/bin:/bin"
    if Path("/opt/slipway/bin/uv").exists() or shutil.which("uv", path=host.env["PATH"]):
        pytest.skip("this machine has a uv of its own in /opt/slipway or /usr/bin")
    assert "uv is missing: neither /opt/slipway/bin/uv" in host.fails("stage", release).told
    assert nothing_is_left(host)


@pytest.mark.parametrize("line", ["-r base.txt", "-c limits.txt", "-e .", "./wheels/a.whl"])
def test_requirements_that_refer_to_other_files_are_refused(host: Host, line: str) -> None:
    release = host.upload(files={"requirements.txt": f"# ours\n{line}\n", "base.txt": "flask\n"})
    assert f"requirements.txt, line 2: '{line}'" in host.fails("stage", release).told
    assert nothing_is_left(host)


def test_a_missing_module_is_named(host: Host) -> None:
    host.settings(module="shop.web:create()")
    told = host.fails("stage", host.upload()).told
    assert "no module 'shop.web'" in told
    assert "neither shop/web.py" in told
    assert host.names("releases") == []


def test_a_module_may_be_a_package_of_the_release_or_of_the_venv(host: Host) -> None:
    host.settings(module="shop.web:app")
    host.run("stage", host.upload(files={"shop/web/__init__.py": ""}))
    host.settings(module="http.server:app")
    host.run("stage", host.upload("two"))


def test_what_a_killed_staging_left_is_taken_away(host: Host) -> None:
    host.run("stage", host.upload())
    (host.base / "releases" / f".{NO_RELEASE}.77" / "deep").mkdir(parents=True)
    (host.base / "venvs" / ".abc.77").mkdir()
    release = host.upload("two")
    host.run("stage", release)
    assert release in host.names("releases")
    assert not [name for name in host.names("releases") + host.names("venvs") if name[0] == "."]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk, which takes root")
def test_a_full_disk_is_one_clear_error_and_leaves_nothing(host: Host) -> None:
    release = host.upload(files={f"data{i}": os.urandom(60_000).hex() for i in range(10)})
    (host.base / "releases").mkdir()
    disk = 'mount -t tmpfs -o size=500k tmpfs $0 && "$@"; s=$?; ls -A $0 >&2; exit $s'
    command = ["unshare", "--mount", "sh", "-c", disk, str(host.base / "releases")]
    if subprocess.run([*command[:2], "true"], check=False).returncode:
        pytest.skip("this machine does not allow mounts")
    failed = host.run_command([*command, *host.command("stage", release)])
    assert failed.status == 1
    assert failed.told.endswith("no space left on the disk\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "app.json: not valid JSON"),
        ("[]", "app.json: expected a map of settings"),
        ('{"kep": 3}', "app.json: kep: unknown setting; known: module, user, health_path"),
        ('{"keep_releases": "3"}', "app.json: keep_releases: expected int, found '3'"),
        ('{"keep_releases": true}', "app.json: keep_releases: expected int, found True"),
        ('{"keep_releases": 0}', "app.json: keep_releases: expected 1 to 1000, found 0"),
        ('{"web_port": 70000}', "app.json: web_port: expected 0 to 65535, found 70000"),
        ('{"health_path": "healthz"}', "health_path: must begin with /"),
        ('{"module": "wsgi"}', "module: expected module:name, found 'wsgi'"),
    ],
)
def test_a_wrong_setting_is_named(host: Host, text: str, message: str) -> None:
    (host.config / "app.json").write_text(text)
    assert message in host.fails("stage", NO_RELEASE).told


def test_missing_settings_are_named(host: Host) -> None:
    (host.config / "app.json").unlink()
    assert "app.json: missing" in host.fails("status").told


@pytest.mark.parametrize("record", ["{", "[1]", "text"])
def test_a_wrong_record_is_refused(host: Host, record: str) -> None:
    failed = host.run("stage", host.upload(), record=record, check=False)
    assert failed.status == 1
    assert "the record on stdin" in failed.told


@pytest.mark.parametrize("wrong", ["../../etc", "abc", "0A1072BAB05F"])
def test_an_id_that_is_none_is_refused(host: Host, wrong: str) -> None:
    done = subprocess.run(
        host.command("stage", wrong), capture_output=True, text=True, env=host.env, check=False
    )
    assert done.returncode == 2
    assert "is not a release id (12 hexadecimal digits)" in done.stderr


# The build command


def recipe(**what: str) -> str:
    return json.dumps(what)


def built(host: Host, command: str, **files: str) -> str:
    return host.upload(files={".slipway-recipe": recipe(build=command), **files})


def test_what_the_build_command_makes_is_part_of_the_release(host: Host) -> None:
    host.environment(COLOUR="blue")
    release = built(host, 'mkdir made && echo "$COLOUR" >made/colour && chmod 777 made/colour')
    assert "build command: mkdir made" in host.run("stage", release).told
    made = host.base / "releases" / release / "made" / "colour"
    assert made.read_text() == "blue\n"
    assert stat.S_IMODE(made.stat().st_mode) == 0o755
    assert host.run("stage", release).result["changed"] is False


def test_the_build_command_has_the_packages_of_the_release(host: Host) -> None:
    release = built(host, "python prefix.py >prefix", **{
        "prefix.py": "import os, sys; print(os.path.realpath(sys.prefix))"
    })  # fmt: skip
    host.run("stage", release)
    folder = host.base / "releases" / release
    assert (folder / "prefix").read_text().strip() == str((folder / ".venv").resolve())


def test_a_server_that_lacks_the_release_gets_it_as_it_was_before_it_was_built(host: Host) -> None:
    release = built(host, "echo more >>wsgi.py")
    host.run("stage", release)
    packed = subprocess.run(host.command("pack", release), capture_output=True, env=host.env)
    with new_host() as other:
        (other.base / "incoming").mkdir(parents=True)
        (other.base / "incoming" / f"{release}.tar.gz").write_bytes(packed.stdout)
        other.run("stage", release)


def test_a_build_that_fails_leaves_nothing_but_its_words(host: Host) -> None:
    release = built(host, "echo no wood left; exit 3")
    failed = host.fails("stage", release)
    assert "no wood left" in failed.told
    assert "the build command failed with status 3" in failed.told
    assert host.names("releases") == []
    assert (host.base / "incoming" / f"{release}.tar.gz").exists(), "it can be tried again"


def test_a_build_that_does_not_end_is_ended(host: Host) -> None:
    host.settings(release_command_seconds=1)
    told = host.fails("stage", built(host, "sleep 60")).told
    assert "the build command was not done after 1 s" in told
    assert host.names("releases") == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("ln -s /etc made", "a symlink that leads out of the release: made"),
        ("ln -s ../.. made", "a symlink that leads out of the release: made"),
        ('ln -s "$PWD/wsgi.py" made', "a symlink that leads out of the release: made"),
        ("mkfifo made", "something that is not a file, folder or symlink: made"),
    ],
)
def test_a_build_cannot_lead_out_of_its_release(host: Host, command: str, said: str) -> None:
    assert said in host.fails("stage", built(host, command)).told
    assert host.names("releases") == []


def test_a_build_does_not_get_at_releasectls_own_names(host: Host) -> None:
    outside = host.root / "outside"
    outside.mkdir()
    command = f"rm .venv; ln -s {outside} .venv; ln -s {outside} .slipway; ln -s wsgi.py inside"
    release = built(host, command)
    host.run("stage", release)
    assert list(outside.iterdir()) == []
    folder = host.base / "releases" / release
    assert str((folder / ".venv").readlink()).startswith("../../venvs/")
    assert (folder / ".slipway" / "READY").is_file()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a command as somebody else")
def test_a_build_runs_as_the_application_which_may_write_only_then(host: Host) -> None:
    host.root.chmod(0o755)
    host.settings(user="nobody")
    release = built(host, "id -un >who && mkdir made && touch made/file && rm requirements.in",
                    **{"requirements.in": "", "static/style.css": ""})  # fmt: skip
    host.run("stage", release)
    folder = host.base / "releases" / release
    assert (folder / "who").read_text() == "nobody\n"
    for path in [folder, *folder.rglob("*")]:
        assert path.lstat().st_uid == 0, path
        assert path.is_symlink() or path.stat().st_mode & 0o022 == 0, path


@pytest.mark.parametrize("text", ["[]", "{", '{"install": "../x.whl"}', '{"more": 1}'])
def test_a_recipe_of_another_time_is_refused(host: Host, text: str) -> None:
    told = host.fails("stage", host.upload(files={".slipway-recipe": text})).told
    assert ".slipway-recipe: not a recipe" in told
    assert host.names("releases") == []


# Packages


def test_hashes_are_held_against_what_is_installed(host: Host) -> None:
    wheels = host.root / "wheels"
    digest = hashlib.sha256(wheel(wheels, "tiny", "1.0").read_bytes()).hexdigest()
    host.env["UV_FIND_LINKS"], host.env["UV_NO_INDEX"] = str(wheels), "1"
    right = f"tiny==1.0 --hash=sha256:{digest}\n"
    release = host.upload("right", files={"requirements.txt": right})
    host.run("stage", release)
    assert list((host.base / "releases" / release / ".venv").rglob("tiny.py"))
    wrong = f"tiny==1.0 --hash=sha256:{'0' * 64}\n"
    told = host.fails("stage", host.upload(files={"requirements.txt": wrong})).told
    assert "Hash mismatch" in told
    wheel(wheels, "other", "1.0")
    more = f"{right}other==1.0\n"
    told = host.fails("stage", host.upload(files={"requirements.txt": more})).told
    assert "all requirements must have" in told


def test_packages_that_stay_are_taken_over_from_what_serves(host: Host) -> None:
    wheels = host.root / "wheels"
    host.env["UV_FIND_LINKS"], host.env["UV_NO_INDEX"] = str(wheels), "1"

    def serve(name: str, **versions: str) -> Path:
        """What the site-packages of that release are."""
        lines = []
        for package, version in versions.items():
            digest = hashlib.sha256(wheel(wheels, package, version).read_bytes()).hexdigest()
            lines.append(f"{package}=={version} --hash=sha256:{digest}\n")
        release = host.upload(name, files={"requirements.txt": "".join(lines)})
        host.run("stage", release)
        host.run("activate", release)
        venv = (host.base / "releases" / release / ".venv").resolve()
        (packages,) = venv.glob("lib/python*/site-packages")
        return packages

    def versions_in(packages: Path) -> set[str]:
        return {each.name.removesuffix(".dist-info") for each in packages.glob("*.dist-info")}

    one = serve("one", stays="1.0", changes="1.0", goes="1.0")
    two = serve("two", stays="1.0", changes="2.0", comes="1.0")
    assert versions_in(one) == {"stays-1.0", "changes-1.0", "goes-1.0"}
    assert versions_in(two) == {"stays-1.0", "changes-2.0", "comes-1.0"}
    assert not (two / "goes.py").exists()
    (compiled,) = two.glob("__pycache__/stays.*.pyc")
    assert compiled.samefile(one / "__pycache__" / compiled.name)
    for name in ("changes", "comes"):
        assert list(two.glob(f"__pycache__/{name}.*.pyc"))
    done = subprocess.run(
        [two.parents[2] / "bin" / "python", "-c", "import sys; print(sys.prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(two.parents[2])


def test_packages_are_made_anew_where_those_of_what_serves_are_broken(host: Host) -> None:
    wheels = host.root / "wheels"
    host.env["UV_FIND_LINKS"], host.env["UV_NO_INDEX"] = str(wheels), "1"
    digest = hashlib.sha256(wheel(wheels, "tiny", "1.0").read_bytes()).hexdigest()
    first = host.upload("one", files={"requirements.txt": f"tiny==1.0 --hash=sha256:{digest}\n"})
    host.run("stage", first)
    host.run("activate", first)
    venv = (host.base / "releases" / first / ".venv").resolve()
    (record,) = venv.rglob("tiny-1.0.dist-info/RECORD")
    record.unlink()
    digest = hashlib.sha256(wheel(wheels, "tiny", "2.0").read_bytes()).hexdigest()
    second = host.upload("two", files={"requirements.txt": f"tiny==2.0 --hash=sha256:{digest}\n"})
    host.run("stage", second)
    venv = (host.base / "releases" / second / ".venv").resolve()
    assert [path.name for path in venv.rglob("tiny-*.dist-info")] == ["tiny-2.0.dist-info"]


@pytest.mark.parametrize("given", ["sdist", "wheel"])
def test_a_release_that_is_a_package_is_installed_with_what_it_needs(
    host: Host, tmp_path: Path, given: str
) -> None:
    wheel(host.root / "wheels", "tiny", "1.0")
    host.env["UV_FIND_LINKS"], host.env["UV_NO_INDEX"] = str(host.root / "wheels"), "1"
    host.settings(module="shop.wsgi:app")
    project = package_in(tmp_path / "project", "tiny")
    path = project
    if given == "wheel":
        uv("build", "--wheel", str(project), "--out-dir", str(tmp_path))
        path = tmp_path / "shop-1.0-py3-none-any.whl"
    source = Source.of(path, kind="sdist", build_command="", packages=tmp_path / "packages")
    release = source.pack(host.base / "incoming").id
    assert "installing the release itself" in host.run("stage", release).told
    folder = host.base / "releases" / release
    installed = {each.name for each in (folder / ".venv").resolve().rglob("site-packages/*")}
    assert {"shop", "shop-1.0.dist-info", "tiny.py"} <= installed
    assert "requirements.txt" not in installed
    assert host.run("stage", release).result["changed"] is False
    shutil.rmtree(host.base / "venvs")
    host.run("stage", release)
    assert (folder / ".venv" / "bin" / "python").exists()
    assert len(host.names("venvs")) == 1
