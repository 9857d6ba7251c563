"""DigitalOcean's OpenAPI description as a judge of answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FILE = Path(__file__).parents[4] / "shared" / "reference" / "digitalocean-openapi.json"
MAY_BE_MISSING = {"completed_at"}
"""There is no such time while something is under way."""

METHODS = ("get", "post", "put", "patch", "delete")

Operation = tuple[str, str]
"""Method and path template, such as ("GET", "/v2/vpcs/{vpc_id}")."""


class Description:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = _as_json_schema(document)
        resource = Resource.from_contents(self._document, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource("urn:description", resource)

    @classmethod
    def load(cls) -> Description:
        return cls(json.loads(FILE.read_text()))

    def operations(self, groups: set[str]) -> set[Operation]:
        """All operations whose path begins with /v2/<one of the groups>."""
        return {
            (method.upper(), path)
            for path, item in self._document["paths"].items()
            for method in item
            if method in METHODS and path.split("/")[2] in groups
        }

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation a request is for; fixed parts of a path win over identifiers."""
        templates = sorted(self._document["paths"], key=lambda template: template.count("{"))
        for template in templates:
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and method.lower() in self._document["paths"][template]:
                return method, template
        return None

    def problems(self, operation: Operation, status: int, body: bytes) -> list[str]:
        """Where an answer differs from the description; empty when it agrees."""
        method, template = operation
        responses = self._document["paths"][template][method.lower()]["responses"]
        if status < 400 and str(status) not in responses:
            return [f"status {status}; described are {sorted(responses)}"]
        pointer = f"/paths/{_escaped(template)}/{method.lower()}/responses"
        pointer += f"/{status if str(status) in responses else 'default'}"
        while "$ref" in (found := self._at(pointer)):
            pointer = found["$ref"].removeprefix("#")
        content = found.get("content", {})
        if not content:
            return [f"a body where none is described: {body[:200]!r}"] if body else []
        schema = {"$ref": f"urn:description#{pointer}/content/application~1json/schema"}
        validator = Draft202012Validator(
            schema, registry=self._registry, format_checker=FormatChecker()
        )
        answer = json.loads(body)
        problems = [
            f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
            for error in validator.iter_errors(answer)
        ]
        if status < 400:
            promised = self._promised(self._at(f"{pointer}/content/application~1json/schema"))
            problems += [
                f"{key} is missing" for key in sorted(promised - set(answer) - MAY_BE_MISSING)
            ]
        return problems

    def _promised(self, schema: dict[str, Any]) -> set[str]:
        """The keys of an answer: hardly any is `required` there, yet DigitalOcean gives them."""
        while "$ref" in schema:
            schema = self._at(schema["$ref"].removeprefix("#"))
        keys = set(schema.get("properties", {}))
        for part in schema.get("allOf", ()):
            keys |= self._promised(part)
        return keys

    def properties(self, schema: str) -> set[str]:
        """The names of all properties of a schema among the description's components."""
        return self._promised(self._document["components"]["schemas"][schema])

    def _at(self, pointer: str) -> dict[str, Any]:
        found: Any = self._document
        for part in pointer.split("/")[1:]:
            found = found[part.replace("~1", "/").replace("~0", "~")]
        return dict(found)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable`, JSON Schema says it with a type."""
    if isinstance(node, list):
        return [_as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    converted = {key: _as_json_schema(value) for key, value in node.items() if key != "example"}
    if converted.pop("nullable", None) is True:
        return {"anyOf": [{"type": "null"}, converted], **_kept(converted)}
    return converted


def _kept(converted: dict[str, Any]) -> dict[str, Any]:
    """Nothing but annotations may stay beside the alternatives."""
    return {key: converted[key] for key in ("description", "title") if key in converted}
