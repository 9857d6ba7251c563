"""What Pulumi's SDK does for each resource and nobody looks at, left out (docs/performance.md)."""

from __future__ import annotations

import os
from typing import Any


def leave_out_what_nobody_reads() -> None:
    """Of a process that runs the program, and nothing else.

    A debug message is a request to the engine that is waited for, four for each resource: a fifth
    of the program's time. The stack trace of each resource's declaration is a tenth of it, and a
    seventh of the state. SLIPWAY_SDK_DEBUG=1 has both again.
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
