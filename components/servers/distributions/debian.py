"""Debian and Ubuntu: they have the same names, and only PostgreSQL's version is in its paths.

Sources: packages.debian.org and packages.ubuntu.com.
"""

from __future__ import annotations

from components.servers.distributions.distribution import Distribution

#: By ID and VERSION_ID of os-release(5): the PostgreSQL that each has.
POSTGRESQL = {
    ("debian", "12"): "15",
    ("debian", "13"): "17",
    ("ubuntu", "22.04"): "14",
    ("ubuntu", "24.04"): "16",
}


#: The same for nginx.
NGINX = {
    ("debian", "12"): (1, 22),
    ("debian", "13"): (1, 26),
    ("ubuntu", "22.04"): (1, 18),
    ("ubuntu", "24.04"): (1, 24),
}


def debian(label: str, postgresql: str, nginx: tuple[int, int]) -> Distribution:
    every = ("ca-certificates", "logrotate", "unattended-upgrades")
    return Distribution(
        label=label,
        family="debian",
        packages={"web": (*every, "nginx-light", "python3-venv"), "db": (*every, "postgresql")},
        installer="install_packages.sh",
        nginx_version=nginx,
        web_user="www-data",
        site="/etc/nginx/sites-available/{app}",
        # Debian's own default site is there again when nginx had to be installed again.
        enable_site="rm -f /etc/nginx/sites-enabled/default &&"
        " ln -sfn ../sites-available/{app} /etc/nginx/sites-enabled/{app} && ",
        disable_site="rm -f /etc/nginx/sites-enabled/{app}",
        ssh_unit="ssh.service",
        installed=("dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\\n"),
        postgresql_version=postgresql,
        postgresql_folder=f"/etc/postgresql/{postgresql}/main",
        postgresql_program=f"/usr/lib/postgresql/{postgresql}/bin/postgres",
        pg_isready=f"/usr/lib/postgresql/{postgresql}/bin/pg_isready",
        updates_unit="unattended-upgrades.service",
        updates_file="/etc/apt/apt.conf.d/60slipway",
        updates_template="unattended-upgrades.conf",
        updates_check="apt-config dump",
        post_install={"web": (), "db": ()},
    )
