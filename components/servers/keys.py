"""Keys and passwords, generated once on the machine of the first update. Only the stack's state
holds them, as secrets.

pulumi-command runs the generator on this machine, and its standard output becomes a secret output.
Its inputs are ignored, so later updates never run it again, even if this file changes.
"""

from __future__ import annotations

import base64
import hashlib
import json

import pulumi
from pulumi_command import local

# ssh-keygen writes only to files, so it gets a folder that is deleted when the shell ends.
_NEW_KEY_PAIR = """\
set -eu; umask 077
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
ssh-keygen -q -t ed25519 -N '' -C slipway -f "$folder/key"
cat "$folder/key.pub" "$folder/key"
"""
# The form that OpenSSL, and so nginx, reads too. The public half is one line for ssh.
_NEW_TLS_KEY = """\
set -eu; umask 077
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
ssh-keygen -q -t ecdsa -b 256 -m PEM -N '' -C slipway -f "$folder/key"
cat "$folder/key.pub" "$folder/key"
"""
_NEW_RANDOM_DIGITS = "od -An -N24 -tx1 /dev/urandom | tr -d ' \\n'"


def _generated(name: str, script: str, opts: pulumi.ResourceOptions | None) -> pulumi.Output[str]:
    command = local.Command(
        name,
        create=script,
        logging=local.Logging.NONE,
        add_previous_output_in_env=False,
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                additional_secret_outputs=["stdout", "stderr"],
                ignore_changes=["create", "logging", "addPreviousOutputInEnv"],
            ),
        ),
    )
    return pulumi.Output.secret(command.stdout)


class KeyPair:
    """An ed25519 key pair: `public` is one authorized_keys line, `private` an OpenSSH PEM."""

    public: pulumi.Output[str]
    private: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        both = _generated(name, _NEW_KEY_PAIR, opts)
        self.public = pulumi.Output.unsecret(both.apply(_first_line))
        self.private = both.apply(_without_first_line)


class TlsKey:
    """A key on the curve P-256, for a certificate or an account with a CA.

    `private` is a PEM; `thumbprint` tells an account to who knows its key (RFC 7638).
    """

    private: pulumi.Output[str]
    thumbprint: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        both = _generated(name, _NEW_TLS_KEY, opts)
        self.private = both.apply(_without_first_line)
        self.thumbprint = pulumi.Output.unsecret(both.apply(_first_line).apply(thumbprint_of))


def thumbprint_of(public: str) -> str:
    """The thumbprint of a public key on P-256 (RFC 7638, 3), in base64 for URLs; pure.

    Args:
        public: one line, as `ssh-keygen` writes it: its data ends with the uncompressed point,
            of 32 bytes for each coordinate (RFC 5656, 3.1).
    """
    point = base64.b64decode(public.split()[1])[-64:]
    x, y = _base64url(point[:32]), _base64url(point[32:])
    # The names in this order and without spaces: that is what everybody hashes.
    canonical = json.dumps({"crv": "P-256", "kty": "EC", "x": x, "y": y}, separators=(",", ":"))
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Password:
    """48 hexadecimal digits from /dev/urandom."""

    value: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        self.value = _generated(name, _NEW_RANDOM_DIGITS, opts)


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0].strip()


def _without_first_line(text: str) -> str:
    # pulumi-command strips the last line break, which a PEM file needs.
    return text.split("\n", 1)[1].strip() + "\n"
