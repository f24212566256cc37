"""The sound logs of experiments/check_false_alarms, for tests that break them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "experiments" / "check_false_alarms"))

from sound import FLAT, LEDGER, flat_frame, flat_log, sound_ledger

__all__ = ["FLAT", "LEDGER", "flat_frame", "flat_log", "sound_ledger"]
