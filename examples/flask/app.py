"""Notes: a Flask application made by a function, configured by the file that APP_CONFIG names."""

import os

import click
import psycopg
from flask import Flask, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.from_envvar("APP_CONFIG")
    app.add_url_rule("/", view_func=notes)
    app.add_url_rule("/", view_func=add_note, methods=["POST"])
    app.add_url_rule("/healthz", view_func=health)
    app.cli.add_command(init_db)
    return app


def database() -> "psycopg.Connection[tuple[str]]":
    return psycopg.connect(current_app.config["DATABASE"], connect_timeout=3)


def notes() -> str:
    with database() as connection:
        found = [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY id")]
    return render_template("notes.html", notes=found, mode=os.environ.get("MODE", "plain"))


def add_note() -> Response:
    with database() as connection:
        connection.execute("INSERT INTO notes (text) VALUES (%s)", (request.form["text"],))
    flash("Noted.")
    return redirect(url_for("notes"))


def health() -> str:
    with database() as connection:
        connection.execute("SELECT FROM notes LIMIT 1")
    return "ok\n"


@click.command("init-db")
def init_db() -> None:
    """The release command: safe to run for every release."""
    with database() as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS notes"
            " (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL)"
        )
    click.echo("table notes is ready")
