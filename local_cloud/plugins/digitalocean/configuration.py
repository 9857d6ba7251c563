"""The plugin's own settings: which there are, and where one comes from that nobody gave."""

from __future__ import annotations

import os
from dataclasses import dataclass

from local_cloud.plugins.digitalocean.api import Settings
from local_cloud.plugins.shared_values import Properties, Value

_OF_THE_ENGINE = frozenset({"version", "pluginDownloadURL"})


@dataclass(frozen=True)
class Setting:
    name: str
    number: bool = False
    variables: tuple[str, ...] = ()
    """Environment variables, the first that is set counts."""


SETTINGS = (
    Setting("token", variables=("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN")),
    Setting("apiEndpoint", variables=("DIGITALOCEAN_API_URL",)),
    Setting("httpRetryMax", number=True, variables=("DIGITALOCEAN_HTTP_RETRY_MAX",)),
    Setting("httpRetryWaitMin", number=True, variables=("DIGITALOCEAN_HTTP_RETRY_WAIT_MIN",)),
    Setting("httpRetryWaitMax", number=True, variables=("DIGITALOCEAN_HTTP_RETRY_WAIT_MAX",)),
    Setting("requestsPerSecond", number=True, variables=("DIGITALOCEAN_REQUESTS_PER_SECOND",)),
    Setting("spacesAccessId"),
    Setting("spacesSecretKey"),
    Setting("spacesEndpoint"),
)


class WrongSetting(Exception):  # noqa: N818
    """A setting has a value of the wrong kind; the message names it, but not a secret."""


def failures(given: Properties) -> list[str]:
    """A message for each setting there is not. Raises `WrongSetting`."""
    known = {setting.name for setting in SETTINGS} | _OF_THE_ENGINE
    settings_from(given)
    return [
        f"`digitalocean:{name}` is not a valid configuration key for the digitalocean provider. "
        "If the referenced key is not intended for the provider, please choose a different "
        "namespace from `digitalocean:`."
        for name in sorted(given.keys() - known)
    ]


def settings_from(given: Properties) -> Settings:
    """Given settings, then the environment, then the defaults. Raises `WrongSetting`."""
    found = {setting.name: _found(setting, given) for setting in SETTINGS}
    usual = Settings()

    def or_usual(name: str, default: Value) -> Value:
        return default if found[name] is None else found[name]

    return Settings(
        token=or_usual("token", usual.token),
        endpoint=or_usual("apiEndpoint", usual.endpoint),
        retries=int(or_usual("httpRetryMax", usual.retries)),
        shortest_wait=or_usual("httpRetryWaitMin", usual.shortest_wait),
        longest_wait=or_usual("httpRetryWaitMax", usual.longest_wait),
        requests_per_second=or_usual("requestsPerSecond", usual.requests_per_second),
    )


def _found(setting: Setting, given: Properties) -> Value:
    value = given.get(setting.name)
    source = f"digitalocean:{setting.name}"
    if value is None:
        source = next((name for name in setting.variables if os.environ.get(name)), "")
        value = os.environ.get(source)
    if value is None or not isinstance(value, str | float | int):
        return None
    if not setting.number:
        return str(value)
    try:
        return float(value)
    except ValueError:
        raise WrongSetting(f"{source} is {value!r}, but has to be a number") from None
