"""What the bench wants, for the deploy files."""

import json
import os
from pathlib import Path

FOLDER = Path(os.environ["BENCH_SITE"])
SITE = json.loads((FOLDER / "site.json").read_text())
COMMON = Path(__file__).resolve().parent.parent / "common"
APP, RELEASE = SITE["app"], SITE["release"]
ROOT = f"/srv/{APP}"
