"""conflictcheck: which specs can share an environment, which cannot and why, and the fewest environments for all."""

from __future__ import annotations

__version__ = "0.1.0"
