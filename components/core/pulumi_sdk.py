"""Turns off what Pulumi's SDK does for each resource and nobody reads (docs/performance.md)."""

from __future__ import annotations

import os
from typing import Any


def leave_out_what_nobody_reads() -> None:
    """Call it only in a process that runs nothing but the program.

    Each debug message is a synchronous request to the engine, four per resource, and together they
    take a fifth of the program's time. Stack traces take a tenth of it, and a seventh of the state.
    SLIPWAY_SDK_DEBUG=1 turns both on again.
    """
    if os.environ.get("SLIPWAY_SDK_DEBUG"):
        return
    from pulumi import log
    from pulumi.runtime import resource
    from pulumi.runtime.proto import source_pb2

    def say_nothing(*_message: Any, **_more: Any) -> None:
        return

    log.debug = say_nothing
    if hasattr(resource, "_get_stack_trace"):
        resource._get_stack_trace = source_pb2.StackTrace
