"""DigitalOcean's error answers: `{"id": "...", "message": "..."}` with the fitting status code."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from local_cloud.machine import MachineError

log = logging.getLogger("slipway.cloud")

SECRET_FIELDS = {"user_data", "public_key", "private_key"}
LONGEST_QUOTED_VALUE = 80


class ApiError(Exception):
    """An answer that is not a success; raised anywhere below a request."""

    def __init__(self, status: int, identifier: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.identifier = identifier
        self.message = message


def not_found(what: str, identifier: object) -> ApiError:
    return ApiError(
        404, "not_found", f"The resource you requested could not be found: {what} {identifier}."
    )


def unprocessable(field: str, message: str) -> ApiError:
    """The request is well formed, but `field` (dotted path) has a value that cannot be used."""
    return ApiError(422, "unprocessable_entity", f"{field}: {message}")


def refused_record(message: str) -> ApiError:
    """A domain or record that DigitalOcean refuses, in its own words, which name no field."""
    return ApiError(422, "unprocessable_entity", message)


def forbidden(message: str) -> ApiError:
    return ApiError(403, "forbidden", message)


def conflict(message: str) -> ApiError:
    return ApiError(409, "conflict", message)


def not_implemented(what: str) -> ApiError:
    return ApiError(501, "not_implemented", f"the local cloud does not serve {what}")


def answer(status: int, identifier: str, message: str) -> JSONResponse:
    return JSONResponse({"id": identifier, "message": message}, status_code=status)


def describe(problem: dict[str, Any]) -> str:
    """One line for one pydantic problem: the field, what is wrong, and the value unless secret."""
    path = [str(part) for part in problem["loc"][1:]]
    field = ".".join(path) or "request body"
    text = f"{field}: {problem['msg']}"
    value = problem.get("input")
    if problem["type"] != "missing" and isinstance(value, str | int | float):
        quoted = repr(value)
        if SECRET_FIELDS.isdisjoint(path) and len(quoted) <= LONGEST_QUOTED_VALUE:
            text += f" (got {quoted})"
    return text


def answer_to_invalid_request(error: RequestValidationError) -> JSONResponse:
    problems: list[dict[str, Any]] = list(error.errors())
    if any(problem["loc"][0] == "path" for problem in problems):
        # An identifier that cannot exist is, at DigitalOcean too, simply not found.
        return answer(404, "not_found", "The resource you requested could not be found.")
    if any(problem["type"] == "json_invalid" for problem in problems):
        message = "There was an error parsing the request body: it is not JSON."
        # Of a bad request DigitalOcean describes two forms; this answer has the keys of both.
        both = {"id": "bad_request", "message": message, "error": message, "root_causes": []}
        return JSONResponse(both, status_code=400)
    return answer(422, "unprocessable_entity", "; ".join(describe(problem) for problem in problems))


def install_handlers(app: FastAPI) -> None:
    """Give every failure of `app` DigitalOcean's form."""

    @app.exception_handler(ApiError)
    async def api_error(_: Request, error: ApiError) -> JSONResponse:
        return answer(error.status, error.identifier, error.message)

    @app.exception_handler(MachineError)
    async def machine_error(_: Request, error: MachineError) -> JSONResponse:
        return answer(500, "server_error", str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return answer_to_invalid_request(error)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code in (404, 405):
            message = f"There is no {request.method} {request.url.path} in the local cloud."
            return answer(404, "not_found", message)
        return answer(error.status_code, "bad_request", str(error.detail))

    @app.exception_handler(sqlite3.OperationalError)
    async def records_unusable(_: Request, error: sqlite3.OperationalError) -> JSONResponse:
        log.error("the records could not be used: %s", error)
        message = f"The local cloud could not use its records: {error}. Nothing was changed."
        return answer(500, "server_error", message)

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        message = "Unexpected error of the local cloud; its cloud.log has the details."
        return answer(500, "server_error", message)
