"""Settings of an application: what it is, how it is run, and what nginx does for it."""

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
from components.settings.location import Location, Upload
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
            "folder - released as it is; sdist - as a package, installed with what it needs",
            ROLLED_OUT,
            TAKEN_OVER,
        ),
    ] = "folder"
    app_module: Annotated[
        Module,
        Setting(
            "The WSGI callable, as module:name; empty to have it found in wsgi.py, app.py, "
            "main.py or */wsgi.py",
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
            "A configuration file of the application, a template where it ends in .j2; empty "
            "for none",
            ROLLED_OUT,
            OWN,
        ),
    ] = ""
    app_config_variable: Annotated[
        VariableName,
        Setting(
            "The environment variable that says where that file is on a server",
            ROLLED_OUT,
            TAKEN_OVER,
        ),
    ] = "APP_CONFIG"
    build_command: Annotated[
        CommandLine,
        Setting(
            "Run in each release once it is unpacked on a server (such as collectstatic); "
            "empty for none",
            ROLLED_OUT,
            OWN,
        ),
    ] = ""
    release_command: Annotated[
        CommandLine,
        Setting(
            "Run once for each release before any traffic (migrations); empty for none",
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
            "How long its statements wait for a lock in PostgreSQL, in seconds; 0 for no end",
            LATER,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = 5
    health_path: Annotated[
        UrlPath,
        Setting(
            "Path that answers with healthStatus when the application is well",
            ROLLED_OUT,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = "/healthz"
    health_status: Annotated[
        int,
        Field(ge=200, le=599, description="a status, 200 to 599"),
        Setting("Status of that answer", ROLLED_OUT, TAKEN_OVER, releasectl=True),
    ] = 200
    health_host: Annotated[
        HostOrNone,
        Setting(
            "Name by which the application is asked for its health; empty for the site's first "
            "one, or localhost",
            ROLLED_OUT,
            OWN,
        ),
    ] = ""
    health_seconds: Annotated[
        int,
        between(1, 600, "seconds"),
        Setting(
            "How long a starting release may take until it is healthy, in seconds",
            LATER,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = 30
    warm_up_paths: Annotated[
        list[UrlPath],
        Field(max_length=20, description="at most 20 paths, each such as /products"),
        Setting(
            "Paths that a starting release is asked for, many times over, before it gets visitors",
            LATER,
            OWN,
            releasectl=True,
        ),
    ] = []
    steady_seconds: Annotated[
        int,
        between(0, 600, "seconds"),
        Setting(
            "How long a started release has to stay healthy before it gets visitors, in seconds",
            LATER,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = 0
    drain_seconds: Annotated[
        int,
        between(0, 600, "seconds"),
        Setting(
            "How long requests of the old release may take to end, in seconds",
            LATER,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = 30
    app_server: Annotated[
        AppServerName,
        Setting(
            "What runs the application - gunicorn, uwsgi or mod_wsgi (Apache)",
            ROLLED_OUT,
            TAKEN_OVER,
        ),
    ] = "gunicorn"
    supervisor: Annotated[
        ProcessManagerName,
        Setting(
            "What keeps it running - systemd or supervisor", ROLLED_OUT, TAKEN_OVER, releasectl=True
        ),
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
            "Threads of each worker, that is how many requests it answers at a time",
            ROLLED_OUT,
            TAKEN_OVER,
        ),
    ] = 2
    request_seconds: Annotated[
        int,
        between(1, 3600, "seconds"),
        Setting(
            "How long the application may take for an answer, in seconds", ROLLED_OUT, TAKEN_OVER
        ),
    ] = 60
    max_requests: Annotated[
        int,
        Field(ge=0, le=10_000_000, description="1 to 10000000, or 0 for never"),
        Setting(
            "After about so many requests a worker is replaced by a fresh one; 0 for never",
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
            "How long browsers may keep files of such folders unasked, in seconds; 0 for never",
            IN_PLACE,
            TAKEN_OVER,
        ),
    ] = 300
    max_upload: Annotated[
        Upload, Setting("How large a request may be, such as 500k or 20m", IN_PLACE, TAKEN_OVER)
    ] = "20m"
    compression: Annotated[
        Flag, Setting("Texts go compressed to browsers that take it", IN_PLACE, TAKEN_OVER)
    ] = True
    locations: Annotated[
        list[Location],
        Field(description="a list of maps, each with a path (docs/static-content.md)"),
        Setting(
            "Further folders that nginx serves, and settings of single paths "
            "(docs/static-content.md)",
            IN_PLACE,
            OWN,
        ),
    ] = []
    sites: Annotated[
        Sites,
        Setting(
            "Further sites on the same servers, each with its own releases, user and database "
            "(docs/sites.md)",
            IN_PLACE,
            secret=True,
        ),
    ] = []
