"""Back to a release that is there."""

from pyinfra import local

local.include("switch.py")
