"""The nouns of an environment, one to a file."""

import atexit
import gc
import sys

from components.core.lazy_import import import_lazily
from components.core.pulumi_sdk import leave_out_what_nobody_reads

# A run of the engine's is over in seconds and its memory goes with it. Looking for garbage among
# the hundred thousand objects of the providers' packages, while they are imported and once more at
# the end, would take a fifth of an update that changes nothing (docs/performance.md).
# (The language host puts the program's own name into sys.argv.)
if any(word.endswith("pulumi-language-python-exec") for word in sys.orig_argv):
    gc.disable()
    atexit.register(gc.freeze)
    import_lazily("pulumi_digitalocean")
    leave_out_what_nobody_reads()
