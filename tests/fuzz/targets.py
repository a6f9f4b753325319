"""Every fuzz target; cheap and simple ones first."""

from __future__ import annotations

import fuzz_index
import fuzz_reading
import fuzz_text
import fuzz_whole
from fuzz_target import CORPUS, LONGEST

TARGETS = (*fuzz_text.TARGETS, *fuzz_index.TARGETS, *fuzz_reading.TARGETS, *fuzz_whole.TARGETS)
BY_NAME = {target.name: target for target in TARGETS}
__all__ = ["BY_NAME", "CORPUS", "LONGEST", "TARGETS"]
