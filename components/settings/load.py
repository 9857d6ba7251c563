"""Reading the settings of a stack: checked whole, or one line for each that is wrong.

The only module that reads the configuration. Every error names the key, the value and what is
allowed, and is raised before anything is created.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import pulumi
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from components.core.errors import SlipwayError
from components.settings import cross_checks
from components.settings.location import Location
from components.settings.settings import Settings


def load() -> Settings:
    """Read this stack's configuration.

    Raises:
        SlipwayError: a setting is unknown, of the wrong type or out of range.
    """
    return parse(_raw_values(), prefix=f"{pulumi.get_project()}:")


def api_endpoint() -> str:
    """The API endpoint that this stack configures; empty for DigitalOcean's own."""
    configured = pulumi.Config("digitalocean").get("apiEndpoint")
    return configured or os.environ.get("DIGITALOCEAN_API_URL", "")


def parse(values: Mapping[str, Any], *, prefix: str = "slipway:") -> Settings:
    """Check raw values by their setting's name (`webPort`); pure.

    Args:
        values: all of them.
        prefix: put before their names in messages.

    Raises:
        SlipwayError: one line for each wrong setting.
    """
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SlipwayError("\n".join(_explain(error, prefix))) from None
    cross_checks.check(settings, prefix)
    return settings


def _raw_values() -> dict[str, Any]:
    """All values in this project's namespace, unknown ones too. Lists arrive as JSON text."""
    everything = {
        **pulumi.runtime.config.get_config_env(),
        **pulumi.runtime.config.CONFIG.get(),
    }
    prefix = f"{pulumi.get_project()}:"
    values = {
        key.removeprefix(prefix): value
        for key, value in everything.items()
        if key.startswith(prefix)
    }
    return {name: _decode(value) for name, value in values.items()}


def _decode(value: str) -> Any:
    if value.startswith(("[", "{")):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value


def _explain(error: ValidationError, prefix: str) -> list[str]:
    lines = []
    for problem in error.errors():
        known = _by_alias(Settings)
        name, *within = map(str, problem["loc"])
        key = f"{prefix}{name}"
        if name == "locations" and len(within) > 1:
            key = f"{key}[{within[0]}].{within[1]}"
            known, name = _by_alias(Location), within[1]
        if problem["type"] == "extra_forbidden":
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {key.removesuffix(name)}{near[0]}?" if near else ""
            listed = "docs/static-content.md" if within else "Pulumi.yaml"
            lines.append(f"{key} is not a setting{hint} ({listed} lists them all)")
        elif problem["type"] == "said":
            lines.append(f"{key} {problem['msg']}")
        elif problem["type"] == "missing" and within:
            lines.append(f"{key} is missing: must be {known[name].description}")
        else:
            allowed = known[name].description
            # The engine passes every value as text, so quotes would be misleading.
            value = problem["input"]
            shown = (
                value if isinstance(value, str) and value.isprintable() and value else repr(value)
            )
            lines.append(f"{key} is {shown}: must be {allowed}")
    return lines


def _by_alias(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}
