"""The application's own configuration file: of the project or the application, plain or a template.

On a server it has its content's digest in its name, and the environment says that name. So a
changed one is rolled out as a new release is, and what still runs with the old one finds that.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError

from components.core import render
from components.core.errors import SlipwayError
from components.settings.settings import Settings

TEMPLATE = ".j2"


@dataclass(frozen=True, kw_only=True)
class ConfigFile:
    source: Path
    text: str
    variable: str
    """The environment variable that names it to the application."""
    settings: Mapping[str, Any]
    """All settings but the application's variables, by name (`webPort`)."""

    @classmethod
    def of(cls, settings: Settings) -> ConfigFile | None:
        """The file that `appConfigFile` names, in the project or else in the application's folder.

        Raises:
            SlipwayError: it is not there, is not text, or its template is wrong or asks for what is
                not there.
        """
        if not settings.app_config_file:
            return None
        candidates = [Path(settings.app_config_file), settings.app_path / settings.app_config_file]
        source = next((path for path in candidates if path.is_file()), None)
        if source is None:
            looked = " nor ".join(map(str, candidates))
            raise SlipwayError(
                f"slipway:appConfigFile is {settings.app_config_file}: there is neither {looked}"
            )
        try:
            text = source.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SlipwayError(f"{source}: cannot be read as text: {error}") from None
        file = cls(
            source=source,
            text=text,
            variable=settings.app_config_variable,
            settings=settings.model_dump(by_alias=True, exclude={"app_env", "sites"}),
        )
        # What is wrong with it shows now; the database's address is known only once there is one.
        file.render({**settings.app_env, "DATABASE_URL": "postgresql://user:password@host/name"})
        return file

    def render(self, environment: Mapping[str, str]) -> str:
        """Its content; `environment` are the application's variables. May hold secrets.

        Raises:
            SlipwayError: naming the file and line, and never a value.
        """
        if self.source.suffix != TEMPLATE:
            return self.text
        try:
            template = render.environment().from_string(self.text)
            return template.render(env=environment, settings=self.settings)
        except TemplateSyntaxError as error:
            raise SlipwayError(f"{self.source}, line {error.lineno}: {error.message}") from None
        except Exception as error:
            # The words of other errors often quote a value, those of jinja's seldom.
            said = error.message if isinstance(error, TemplateError) else type(error).__name__
            for value in filter(None, environment.values()):
                said = (said or "").replace(value, "…")
            raise SlipwayError(f"{self.source}, line {_line_of(error)}: {said}") from None

    def name(self, content: str) -> str:
        """The file's name on a server, with the suffix that it has here."""
        suffix = Path(self.source.name.removesuffix(TEMPLATE)).suffix
        return f"config-{hashlib.sha256(content.encode()).hexdigest()[:12]}{suffix}"


def _line_of(error: Exception) -> int:
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno or 0 for f in reversed(frames) if f.filename == "<template>"), 0)
