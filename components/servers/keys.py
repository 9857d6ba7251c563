"""Keys and passwords, generated once on the machine of the first update. Only the stack's state
holds them, as secrets.

pulumi-command runs the generator on this machine, and its standard output becomes a secret output.
Its inputs are ignored, so later updates never run it again, even if this file changes.
"""

from __future__ import annotations

import pulumi
from pulumi_command import local

# ssh-keygen writes only to files, so it gets a folder that is deleted when the shell ends.
_NEW_KEY_PAIR = """\
set -eu; umask 077
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
ssh-keygen -q -t ed25519 -N '' -C slipway -f "$folder/key"
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
