"""Error texts as the official plugin (a Go program) words them."""

from __future__ import annotations

import errno
import os
import signal

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def quoted(text: str) -> str:
    """A text in double quotes, as Go's `%q`."""
    return '"' + "".join(_quoted_character(character) for character in text) + '"'


def _quoted_character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character == " " or character.isprintable():
        return character
    number = ord(character)
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def failed_command(how: str, command: str, output: bytes | bytearray) -> str:
    """A command that failed: how it ended, the command, and all it said. Never its input."""
    return f"{how}: running {quoted(command)}:\n{output.decode(errors='replace')}"


def ended_locally(return_code: int) -> str:
    """How a local process ended, from asyncio's return code (negative: a signal)."""
    if return_code >= 0:
        return f"exit status {return_code}"
    name = signal.strsignal(-return_code) or f"signal {-return_code}"
    return f"signal: {name.lower()}"


def ended_remotely(status: int | None, signal_name: str | None, message: str) -> str:
    """How a remote command ended, from what the SSH server said about it."""
    if status is None and not signal_name:
        return "wait: remote command exited without exit status or exit signal"
    text = f"Process exited with status {_status(status, signal_name)}"
    if signal_name:
        text += f" from signal {signal_name}"
    return f"{text}. Reason was: {message}" if message else text


def _status(status: int | None, signal_name: str | None) -> int:
    if status is not None:
        return status
    number = getattr(signal, f"SIG{signal_name}", None)
    return 128 + int(number) if number is not None else 128


def system_error(error: OSError) -> str:
    """An operating system's error in Go's words (`connection refused`)."""
    if error.errno is None or error.errno < 0:
        return str(error)
    if error.errno == errno.ETIMEDOUT:
        return "connection timed out"
    return os.strerror(error.errno).lower()
