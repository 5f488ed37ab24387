"""What an account is after an event, asked before it happens; nothing is booked.

* :func:`exercise`, :func:`assignment` - of so many contracts, at today's prices;
* :func:`expiry` - all options of a date, at settlement prices; :func:`expiry_scan` - at which of them there is a call;
* :func:`ex_dividend` - a cash dividend, received or owed; :func:`early_assignment` - short calls that it may cost.
"""

from margincore.analysis.events.dividend import ex_dividend
from margincore.analysis.events.early import EarlyAssignment, early_assignment
from margincore.analysis.events.expiry import expiry
from margincore.analysis.events.scan import ExpiryScan, ScanPoint, expiry_scan
from margincore.analysis.events.what_if import Consequence, assignment, exercise

__all__ = [
    "Consequence",
    "EarlyAssignment",
    "ExpiryScan",
    "ScanPoint",
    "assignment",
    "early_assignment",
    "ex_dividend",
    "exercise",
    "expiry",
    "expiry_scan",
]
