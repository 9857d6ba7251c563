"""The sample application: one page with the users, read from PostgreSQL."""

import os
from pathlib import Path

import psycopg
from database import user_names
from flask import Flask, Response, render_template

app = Flask(__name__)

#: On a server the code lies in a folder named after its release.
RELEASE = os.environ.get("SLIPWAY_RELEASE") or Path(__file__).resolve().parent.name


@app.get("/")
def users() -> str:
    return render_template("users.html", users=user_names(), release=RELEASE)


@app.get("/healthz")
def health() -> Response:
    """200 when the page could be shown now, which takes the database and its table."""
    return Response(f"ok: {len(user_names())} users, release {RELEASE}\n", mimetype="text/plain")


@app.errorhandler(psycopg.Error)
def database_is_out_of_reach(error: psycopg.Error) -> tuple[str, int]:
    """What went wrong is for the log (it may name the database's address), not for the visitor."""
    app.logger.error("database: %s", error)
    return render_template("unavailable.html", release=RELEASE), 503
