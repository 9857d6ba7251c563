"""RHEL with its kin, and Fedora.

Source: the AppStream packages of releases 9 and 10, and Fedora's.
"""

from __future__ import annotations

from components.servers.distributions.distribution import Distribution

IDS = ("rhel", "rocky", "almalinux", "centos", "ol")
_LET_NGINX_CONNECT = (
    "if selinuxenabled && getsebool httpd_can_network_connect | grep -q 'off$'; then"
    " echo 'setsebool -P httpd_can_network_connect 0' | slipway-on-remove selinux &&"
    " setsebool -P httpd_can_network_connect 1; fi"
)
_DATA = "/var/lib/pgsql/data"
_MAKE_A_CLUSTER = (
    f"[ -s {_DATA}/PG_VERSION ] || postgresql-setup --initdb >/dev/null",
    f"install -d -m 0700 -o postgres -g postgres {_DATA}/conf.d",
    f"grep -qx \"include_dir = 'conf.d'\" {_DATA}/postgresql.conf"
    f" || echo \"include_dir = 'conf.d'\" >>{_DATA}/postgresql.conf",
    # Debian's package comes with a certificate.
    f"[ -s {_DATA}/server.key ] || runuser -u postgres -- openssl req -x509 -newkey rsa:2048 -nodes"
    f" -days 3650 -subj /CN=db -keyout {_DATA}/server.key -out {_DATA}/server.crt 2>/dev/null",
)


def rhel(label: str, *, python: str, nginx: tuple[int, int], postgresql: str = "") -> Distribution:
    every = (
        "ca-certificates",
        "dnf-automatic",
        "logrotate",
        "policycoreutils-python-utils",
    )
    return Distribution(
        label=label,
        family="rhel",
        packages={
            "web": (*every, "nginx", python),
            "db": (*every, "postgresql-server", "openssl"),
        },
        installer="install_packages_dnf.sh",
        python=python,
        nginx_version=nginx,
        web_user="nginx",
        site="/etc/nginx/conf.d/{app}.conf",
        ssh_unit="sshd.service",
        installed=("rpm", "-q", "--qf", "ii %{NAME}\\n"),
        postgresql_version=postgresql,
        postgresql_folder=_DATA,
        postgresql_program="/usr/bin/postgres",
        pg_isready="/usr/bin/pg_isready",
        notices_lost_clients=postgresql != "13",
        updates_unit="dnf-automatic.timer",
        updates_file="/etc/dnf/automatic.conf",
        updates_template="dnf-automatic.conf",
        post_install={"web": (_LET_NGINX_CONNECT,), "db": _MAKE_A_CLUSTER},
    )
