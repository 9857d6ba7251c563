"""A stand-in for supervisord: each program is a real process that serves the release's wsgi.py.

It speaks XML-RPC on run/supervisor.sock as supervisor does, with its faults (supervisor/xmlrpc.py).
"""

import re
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault
from xmlrpc.server import SimpleXMLRPCDispatcher, SimpleXMLRPCRequestHandler

HERE = Path(__file__).parent


class Handler(SimpleXMLRPCRequestHandler):
    disable_nagle_algorithm = False  # which a UNIX socket does not have


class Supervisord(socketserver.UnixStreamServer, SimpleXMLRPCDispatcher):
    def __init__(self, root: Path) -> None:
        self.root, self.logRequests = root, False
        self.known: set[str] = set()
        self.programs: dict[str, subprocess.Popen[bytes] | None] = {}
        self.folder = root / "etc" / "supervisor" / "conf.d"
        self.folder.mkdir(parents=True)
        (root / "units").mkdir(exist_ok=True)
        SimpleXMLRPCDispatcher.__init__(self, allow_none=True)
        socketserver.UnixStreamServer.__init__(self, str(root / "run" / "supervisor.sock"), Handler)
        self.thread = threading.Thread(target=self.serve_forever, args=[0.02])

    def _dispatch(self, method: str, params: Any) -> Any:
        """`supervisor.addProcessGroup` is `add_process_group` here."""
        name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", method.partition(".")[2])
        return getattr(self, name)(*params)

    def __enter__(self) -> "Supervisord":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()
        for process in self.programs.values():
            if process is not None:
                process.kill()
                process.wait()

    def running(self) -> list[str]:
        return sorted(name for name in self.programs if self._alive(name))

    def reload_config(self) -> list[list[list[str]]]:
        self.known = {
            line[len("[program:") : -1]
            for file in self.folder.glob("*.conf")
            for line in file.read_text().splitlines()
            if line.startswith("[program:")
        }
        return [[[], [], []]]

    def add_process_group(self, name: str) -> bool:
        if name in self.programs:
            raise Fault(90, f"ALREADY_ADDED: {name}")
        if name not in self.known:
            raise Fault(10, f"BAD_NAME: {name}")
        self._run(name)
        return True

    def start_process(self, name: str, wait: bool = True) -> bool:
        self._require(name)
        if self._alive(name):
            raise Fault(60, f"ALREADY_STARTED: {name}")
        self._run(name)
        return True

    def stop_process(self, name: str, wait: bool = True) -> bool:
        self._require(name)
        process = self.programs[name]
        if process is None or process.poll() is not None:
            raise Fault(70, f"NOT_RUNNING: {name}")
        process.terminate()
        process.wait(10)
        return True

    def remove_process_group(self, name: str) -> bool:
        self._require(name)
        if self._alive(name):
            raise Fault(91, f"STILL_RUNNING: {name}")
        del self.programs[name]
        return True

    def get_process_info(self, name: str) -> dict[str, str | int]:
        self._require(name)
        process = self.programs[name]
        alive = process is not None and process.poll() is None
        return {
            "statename": "RUNNING" if alive else "BACKOFF",
            "pid": process.pid if process and alive else 0,
        }

    def _require(self, name: str) -> None:
        if name not in self.programs:
            raise Fault(10, f"BAD_NAME: {name}")

    def _alive(self, name: str) -> bool:
        process = self.programs[name]
        return process is not None and process.poll() is None

    def _run(self, name: str) -> None:
        app, instance = name.split("@")
        socket = self.root / "run" / app / f"{instance}.sock"
        socket.unlink(missing_ok=True)
        folder = self.root / "srv" / app / "instances" / instance
        with (self.root / "units" / f"{name}.log").open("ab") as log:
            self.programs[name] = subprocess.Popen(
                [sys.executable, "-B", HERE / "serve.py", socket,
                 folder / "env"],
                cwd=folder / "release",
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
