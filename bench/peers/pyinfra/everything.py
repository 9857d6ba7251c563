"""Packages, database, web server and release."""

from io import StringIO

from pyinfra import host, local
from pyinfra.operations import apt, files, postgres, server, systemd
from site_values import APP, COMMON, ROOT, SITE

if "db" in host.groups:
    apt.packages(
        name="Packages", packages=["postgresql"], no_recommends=True, update=True, cache_time=86400
    )
    listen = files.put(
        name="PostgreSQL listens",
        src=StringIO("listen_addresses = '*'\n"),
        dest=f"{SITE['postgresql']}/conf.d/listen.conf",
        mode="644",
    )
    rule = files.line(
        name="The application may connect",
        path=f"{SITE['postgresql']}/pg_hba.conf",
        line=f"hostssl {APP} {APP} {SITE['network']} scram-sha-256",
        escape_regex_characters=True,
    )
    systemd.service(
        name="Restart PostgreSQL", service="postgresql", restarted=True, _if=listen.did_change
    )
    systemd.service(
        name="Reload PostgreSQL", service="postgresql", reloaded=True, _if=rule.did_change
    )
    postgres.role(name="Role", role=APP, password=SITE["password"], _su_user="postgres")
    postgres.database(name="Database", database=APP, owner=APP, _su_user="postgres")

if "web" in host.groups:
    apt.packages(
        name="Packages",
        packages=["nginx-light", "python3-venv"],
        no_recommends=True,
        update=True,
        cache_time=86400,
    )
    server.shell(
        name="uv",
        commands=[
            f"/usr/local/bin/uv --version 2>/dev/null | grep -qF 'uv {SITE['uv']}' || {{ "
            "python3 -m venv /opt/uv && /opt/uv/bin/pip install -q --disable-pip-version-check"
            f" uv=={SITE['uv']} && ln -sfn /opt/uv/bin/uv /usr/local/bin/uv; }}"
        ],
    )
    server.user(
        name="The user of the application",
        user=APP,
        system=True,
        home=ROOT,
        ensure_home=False,
        shell="/usr/sbin/nologin",
    )
    for folder in (f"{ROOT}/releases", f"{ROOT}/venvs", f"/etc/{APP}"):
        files.directory(name=f"Folder {folder}", path=folder)
    values = {**SITE, "db": SITE["db"]["private"]}
    site = files.template(
        name="The site of nginx",
        src=str(COMMON / "site.conf.j2"),
        dest=f"/etc/nginx/sites-available/{APP}.conf",
        mode="644",
        **values,
    )
    enabled = files.link(
        name="The site is enabled",
        path=f"/etc/nginx/sites-enabled/{APP}.conf",
        target=f"../sites-available/{APP}.conf",
    )
    server.shell(
        name="Reload nginx",
        commands=["nginx -t -q && systemctl reload nginx"],
        _if=lambda: site.did_change() or enabled.did_change(),
    )
    changes = [
        files.template(
            name=f"{dest}",
            src=str(COMMON / f"{name}.j2"),
            dest=dest,
            mode=mode,
            **values,
        )
        for name, dest, mode in (
            ("env", f"/etc/{APP}/env", "600"),
            ("app.service", f"/etc/systemd/system/{APP}.service", "644"),
            ("app.socket", f"/etc/systemd/system/{APP}.socket", "644"),
        )
    ]

    def changed():
        return any(each.did_change() for each in changes)

    systemd.daemon_reload(name="Units are read", _if=changed)
    systemd.service(name="The socket is open", service=f"{APP}.socket", running=True, enabled=True)

local.include("release.py")

if "web" in host.groups:
    systemd.service(
        name="The application starts with the server", service=f"{APP}.service", enabled=True
    )
    systemd.service(
        name="Restart the application", service=f"{APP}.service", restarted=True, _if=changed
    )
