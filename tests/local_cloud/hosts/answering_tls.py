"""What a droplet that terminates TLS itself runs in these tests; it may be told the visitor first.

Arguments: the port, the file with certificate and key, and `proxy` where a PROXY line (v1) comes
before the handshake.
"""

import json
import socket
import ssl
import sys
import threading

PORT, FILE, PROXY = int(sys.argv[1]), sys.argv[2], "proxy" in sys.argv[3:]


def line_of(connection: socket.socket) -> str:
    """A PROXY line, read byte by byte: what follows belongs to TLS."""
    text = b""
    while not text.endswith(b"\r\n"):
        text += connection.recv(1)
    return text.decode().strip()


def answer(plain: socket.socket) -> None:
    with plain:
        plain.settimeout(5)
        told = {"proxy": line_of(plain) if PROXY else "", "request": ""}
        with context.wrap_socket(plain, server_side=True) as connection:
            told["request"] = connection.recv(65536).decode()
            body = json.dumps(told).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode() + body)


def serve(plain: socket.socket) -> None:
    try:
        answer(plain)
    except OSError:  # a health check, which only opens a connection
        return


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(FILE)
with socket.create_server(("", PORT)) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
