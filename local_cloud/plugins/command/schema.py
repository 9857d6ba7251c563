"""The inputs of each resource: types, defaults and what is secret, as in the official plugin."""

from __future__ import annotations

from local_cloud.plugins.command.input_types import (
    Anything,
    AssetOrArchive,
    Field,
    ListOf,
    MapOf,
    Object,
    Plain,
)

STRING = Plain("string", str, "")
BOOLEAN = Plain("bool", bool, False)
NUMBER = Plain("float64", float, 0.0)
INTEGER = Plain("int", float, 0.0, whole=True)
STRINGS = ListOf("[]string", STRING)
STRING_MAP = MapOf("map[string]string", STRING)

_ENDPOINT = {
    "user": Field(STRING, default="root"),
    "password": Field(STRING, secret=True),
    "host": Field(STRING, required=True),
    "port": Field(NUMBER, default=22.0),
    "privateKey": Field(STRING, secret=True),
    "privateKeyPassword": Field(STRING, secret=True),
    "agentSocketPath": Field(STRING),
    "dialErrorLimit": Field(INTEGER, default=10.0),
    "perDialTimeout": Field(INTEGER, default=15.0),
    "hostKey": Field(STRING),
}
PROXY = Object("remote.ProxyConnection", _ENDPOINT)
CONNECTION = Object("remote.Connection", {"proxy": Field(PROXY), **_ENDPOINT})

_TRIGGERS = {"triggers": Field(ListOf("[]interface {}", Anything()))}
_STEPS = {**_TRIGGERS, "create": Field(STRING), "update": Field(STRING), "delete": Field(STRING)}

LOCAL_COMMAND = Object(
    "local.CommandInputs",
    {
        **_STEPS,
        "stdin": Field(STRING),
        "logging": Field(Plain("local.Logging", str, "")),
        "interpreter": Field(STRINGS),
        "dir": Field(STRING),
        "environment": Field(STRING_MAP),
        "assetPaths": Field(STRINGS),
        "archivePaths": Field(STRINGS),
        "addPreviousOutputInEnv": Field(BOOLEAN),
    },
)
REMOTE_COMMAND = Object(
    "remote.CommandInputs",
    {
        "stdin": Field(STRING),
        "logging": Field(Plain("remote.Logging", str, "")),
        "connection": Field(CONNECTION, required=True, secret=True),
        "environment": Field(STRING_MAP),
        "addPreviousOutputInEnv": Field(BOOLEAN),
        **_STEPS,
    },
)
COPY_TO_REMOTE = Object(
    "remote.CopyToRemoteInputs",
    {
        "connection": Field(CONNECTION, required=True, secret=True),
        **_TRIGGERS,
        "source": Field(AssetOrArchive(), required=True),
        "remotePath": Field(STRING, required=True),
    },
)
