"""A release that is there becomes the one that serves."""

from pyinfra import host
from pyinfra.operations import files, server, systemd
from site_values import APP, RELEASE, ROOT, SITE

if "web" in host.groups:
    current = files.link(
        name="It is the current release", path=f"{ROOT}/current", target=f"releases/{RELEASE}"
    )
    systemd.service(
        name="The application is restarted",
        service=f"{APP}.service",
        restarted=True,
        _if=current.did_change,
    )
    server.shell(
        name="The application answers; the five newest releases are kept",
        commands=[
            "for i in $(seq 100); do"
            f" curl -fsS -o /dev/null http://127.0.0.1:{SITE['site_port']}/healthz && break;"
            " [ $i -lt 100 ] || exit 1; sleep 0.1; done",
            f"ls -1dtc {ROOT}/releases/*/ | tail -n +6 | xargs -r rm -rf",
        ],
    )
