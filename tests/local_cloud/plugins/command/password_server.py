"""An SSH server that lets people in by password, which a real one would check for real users."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import typing

import asyncssh


@contextlib.contextmanager
def password_server(
    password: str, way: typing.Literal["password", "keyboard-interactive"] | str
) -> typing.Iterator[tuple[int, str]]:
    """Run a server that answers each command; yields its port and host key."""
    key = asyncssh.generate_private_key("ssh-ed25519")

    class Door(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return way == "password"

        def validate_password(self, username: str, given: str) -> bool:
            return given == password

        def kbdint_auth_supported(self) -> bool:
            return way == "keyboard-interactive"

        def get_kbdint_challenge(
            self, username: str, lang: str, submethods: str
        ) -> tuple[str, str, str, list[tuple[str, bool]]]:
            return "", "", "", [("Password:", False)]

        def validate_kbdint_response(self, username: str, responses: typing.Sequence[str]) -> bool:
            return list(responses) == [password]

    def answer(process: asyncssh.SSHServerProcess[str]) -> None:
        name = process.get_extra_info("username")
        process.stdout.write(f"{process.command} from {name}\n")
        process.exit(0)

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            Door, "127.0.0.1", 0, server_host_keys=[key], process_factory=answer
        )

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    acceptor = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    try:
        yield acceptor.get_port(), key.export_public_key().decode().strip()
    finally:
        loop.call_soon_threadsafe(acceptor.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
