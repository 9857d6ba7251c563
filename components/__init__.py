"""The nouns of an environment, one to a file."""

import atexit
import gc

# A run is over in seconds and its memory goes with it. Looking for garbage among the hundred
# thousand objects of the providers' packages, while they are imported and once more at the end,
# would take a fifth of an update that changes nothing (docs/performance.md).
gc.disable()
atexit.register(gc.freeze)
