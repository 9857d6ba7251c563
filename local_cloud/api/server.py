"""Serves one local cloud on loopback: one process per state folder, one token per folder."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

import uvicorn

from local_cloud.api.app import create_app
from local_cloud.machine import Hypervisor, NameServer

DEFAULT_PORT = 7300
LOOPBACK = "127.0.0.1"
LOOPBACK_6 = "::1"
LOCK, TOKEN, LOG = "lock", "token", "cloud.log"
LARGEST_LOG = 5_000_000
"""Bytes; one older log of this size is kept."""
SECONDS_FOR_LAST_ANSWERS = 2


class StartError(Exception):
    """The local cloud cannot be started; the message is for the person who tried."""


def serve(state_folder: Path, port: int, hypervisor: Hypervisor, name_server: NameServer) -> None:
    """Serve the cloud of `state_folder` on 127.0.0.1:`port`, and [::1], until SIGTERM or SIGINT.

    Droplets are left as they are: they outlive this process. Raises StartError when another
    process holds the folder, the port is taken, or the firewalls cannot be had.
    """
    state_folder = state_folder.resolve()
    state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _sole_use(state_folder), _listening(port) as listeners, _logging(state_folder / LOG):
        app = create_app(state_folder, hypervisor, name_server, make_token(state_folder))
        config = uvicorn.Config(
            app,
            log_config=None,
            lifespan="on",
            timeout_graceful_shutdown=SECONDS_FOR_LAST_ANSWERS,
        )
        server = uvicorn.Server(config)
        try:
            with _ending_quietly():
                server.run(sockets=listeners)
        except SystemExit:  # uvicorn's way to say that the application did not start
            reason = app.state.start_failure or f"see {state_folder / LOG}"
            raise StartError(f"the local cloud could not start: {reason}") from None


def make_token(state_folder: Path) -> str:
    """The folder's bearer token, made if there is none yet; readable by its owner only."""
    file = state_folder / TOKEN
    if file.exists():
        file.chmod(0o600)
        token = file.read_text().strip()
        if token:
            return token
    token = f"local_v1_{secrets.token_hex(32)}"
    unfinished = state_folder / f"{TOKEN}.new"
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(token + "\n")
    unfinished.rename(file)
    return token


@contextmanager
def _sole_use(state_folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets go of it however this process ends."""
    with (state_folder / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise StartError(
                f"another local cloud (process {holder}) already uses the state folder "
                f"{state_folder}; stop it, or choose another folder with --state"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


@contextmanager
def _listening(port: int) -> Iterator[list[socket.socket]]:
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it on, every answer
    # takes 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        # Without this, a restart would wait a minute for the old connections to be forgotten.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OverflowError:
            raise StartError(f"{port} is not a port; allowed are 1 to 65535") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                message = f"port {port} on {LOOPBACK} is taken by another program"
                raise StartError(f"{message}; choose another with --port") from None
            raise StartError(f"cannot listen on {LOOPBACK}:{port}: {error.strerror}") from error
        listeners = [listener]
        with ExitStack() as opened:
            # Some computers have no IPv6: then nobody can mean that address either.
            with suppress(OSError):
                kind = (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP)
                second = opened.enter_context(socket.socket(*kind))
                second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                second.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                second.bind((LOOPBACK_6, port))
                listeners.append(second)
            yield listeners


@contextmanager
def _logging(file: Path) -> Iterator[None]:
    """Our lines and uvicorn's go to the cloud's log, which never grows beyond two files."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
    file.chmod(0o600)
    handler = RotatingFileHandler(file, maxBytes=LARGEST_LOG, backupCount=1)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in ("slipway", "uvicorn")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()


@contextmanager
def _ending_quietly() -> Iterator[None]:
    """uvicorn answers SIGTERM by itself, then sends it once more: that one must not kill us."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, previous)
