"""Settings of an application: its source, how it runs, and what nginx does for it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.settings.declaration import (
    IN_PLACE,
    LATER,
    OWN,
    REFUSED,
    ROLLED_OUT,
    TAKEN_OVER,
    Setting,
)
from components.settings.location import BodySize, Location
from components.settings.section import Section
from components.settings.types import (
    AppServerName,
    CommandLine,
    Environment,
    Flag,
    Folder,
    FolderOrNone,
    HostOrNone,
    Module,
    Name,
    ProcessManagerName,
    Sites,
    StaticFolder,
    UrlPath,
    VariableName,
    between,
    matches,
)


class ApplicationSettings(Section):
    """The application."""

    app_name: Annotated[
        Name,
        Setting(
            "Name of the application on the servers - user, folder under /srv, database",
            REFUSED,
            TAKEN_OVER,
        ),
    ] = "site"
    app_folder: Annotated[
        Folder,
        Setting(
            "Folder of the application, relative to the project, or a package of it (*.tar.gz, "
            "*.whl)",
            ROLLED_OUT,
            TAKEN_OVER,
        ),
    ] = "app"
    app_source: Annotated[
        str,
        matches(r"folder|sdist"),
        Field(description="folder or sdist"),
        Setting(
            "folder - released as it is; sdist - built and installed as a Python package",
            ROLLED_OUT,
            TAKEN_OVER,
        ),
    ] = "folder"
    app_module: Annotated[
        Module,
        Setting(
            "The WSGI callable, as module:name; empty to look for it in wsgi.py, app.py, "
            "main.py and */wsgi.py",
            ROLLED_OUT,
            OWN,
        ),
    ] = ""
    app_env: Annotated[
        Environment,
        Setting(
            "Environment variables of the application, secret or not (docs/applications.md)",
            ROLLED_OUT,
            OWN,
            secret=True,
        ),
    ] = {}
    app_config_file: Annotated[
        FolderOrNone,
        Setting(
            "A configuration file of the application, rendered as a template if it ends in .j2; "
            "empty for none",
            ROLLED_OUT,
            OWN,
        ),
    ] = ""
    app_config_variable: Annotated[
        VariableName,
        Setting(
            "The environment variable with the path of that file on a server",
            ROLLED_OUT,
            TAKEN_OVER,
        ),
    ] = "APP_CONFIG"
    build_command: Annotated[
        CommandLine,
        Setting(
            "Command run in each release after it is unpacked on a server (such as collectstatic); "
            "empty for none",
            ROLLED_OUT,
            OWN,
        ),
    ] = ""
    release_command: Annotated[
        CommandLine,
        Setting(
            "Command run once per release before any traffic (migrations); empty for none",
            ROLLED_OUT,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = "python release.py"
    release_command_seconds: Annotated[
        int,
        between(1, 86400, "seconds"),
        Setting(
            "How long the release command may take, in seconds", LATER, TAKEN_OVER, releasectl=True
        ),
    ] = 600
    release_command_lock_seconds: Annotated[
        int,
        between(0, 3600, "seconds"),
        Setting(
            "How long its statements wait for a lock in PostgreSQL, in seconds; 0 for no limit",
            LATER,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = 5
    health_path: Annotated[
        UrlPath,
        Setting(
            "Path that answers with healthStatus if the application is healthy",
            ROLLED_OUT,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = "/healthz"
    health_status: Annotated[
        int,
        Field(ge=200, le=599, description="a status, 200 to 599"),
        Setting("HTTP status of a healthy answer", ROLLED_OUT, TAKEN_OVER, releasectl=True),
    ] = 200
    health_host: Annotated[
        HostOrNone,
        Setting(
            "Host header of the health check; empty for the site's first server name, or localhost",
            ROLLED_OUT,
            OWN,
        ),
    ] = ""
    health_seconds: Annotated[
        int,
        between(1, 600, "seconds"),
        Setting(
            "How long a release may take to start and become healthy, in seconds",
            LATER,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = 30
    warm_up_paths: Annotated[
        list[UrlPath],
        Field(max_length=20, description="at most 20 paths, each such as /products"),
        Setting(
            "Paths requested repeatedly from a starting release before it gets visitors",
            LATER,
            OWN,
            releasectl=True,
        ),
    ] = []
    min_ready_seconds: Annotated[
        int,
        between(0, 600, "seconds"),
        Setting(
            "How long a started release must stay healthy before it gets visitors, in seconds",
            LATER,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = 0
    drain_seconds: Annotated[
        int,
        between(0, 600, "seconds"),
        Setting(
            "How long requests to the old release may take to finish, in seconds",
            LATER,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = 30
    app_server: Annotated[
        AppServerName,
        Setting(
            "App server - gunicorn, uwsgi or mod_wsgi (Apache)",
            ROLLED_OUT,
            TAKEN_OVER,
        ),
    ] = "gunicorn"
    supervisor: Annotated[
        ProcessManagerName,
        Setting("Process manager - systemd or supervisor", ROLLED_OUT, TAKEN_OVER, releasectl=True),
    ] = "systemd"
    workers: Annotated[
        int,
        Field(ge=0, le=128, description="1 to 128, or 0 for 2 x cores + 1"),
        Setting(
            "Worker processes of the application on each server; 0 for 2 x cores + 1",
            ROLLED_OUT,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = 0
    worker_threads: Annotated[
        int,
        between(1, 256),
        Setting(
            "Threads of each worker, which is how many requests it answers at a time",
            ROLLED_OUT,
            TAKEN_OVER,
        ),
    ] = 2
    request_seconds: Annotated[
        int,
        between(1, 3600, "seconds"),
        Setting("How long the application may take to answer, in seconds", ROLLED_OUT, TAKEN_OVER),
    ] = 60
    max_requests: Annotated[
        int,
        Field(ge=0, le=10_000_000, description="1 to 10000000, or 0 for never"),
        Setting(
            "Number of requests after which a worker is replaced (approximate); 0 for never",
            ROLLED_OUT,
            TAKEN_OVER,
        ),
    ] = 0
    static_folder: Annotated[
        StaticFolder,
        Setting(
            "Folder inside the application that nginx serves under /static/; empty for none",
            IN_PLACE,
            TAKEN_OVER,
        ),
    ] = "static"
    static_cache_seconds: Annotated[
        int,
        Field(ge=0, le=31_536_000, description="0 to 31536000 seconds (a year)"),
        Setting(
            "How long browsers may cache files of such folders, in seconds; 0 for never",
            IN_PLACE,
            TAKEN_OVER,
        ),
    ] = 300
    max_body_size: Annotated[
        BodySize, Setting("Maximum size of a request, such as 500k or 20m", IN_PLACE, TAKEN_OVER)
    ] = "20m"
    compression: Annotated[
        Flag, Setting("Compress text for browsers that accept it", IN_PLACE, TAKEN_OVER)
    ] = True
    locations: Annotated[
        list[Location],
        Field(description="a list of maps, each with a path (docs/static-content.md)"),
        Setting(
            "More folders that nginx serves, and settings for single paths "
            "(docs/static-content.md)",
            IN_PLACE,
            OWN,
        ),
    ] = []
    sites: Annotated[
        Sites,
        Setting(
            "More sites on the same servers, each with its own releases, user and database "
            "(docs/sites.md)",
            IN_PLACE,
            secret=True,
        ),
    ] = []
