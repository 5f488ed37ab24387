"""Reports for people: one HTML page of an account under rulebooks, with pictures (extra ``report``).

* :func:`report` - the page, also ``mc.report``; :class:`Report` what it gives. The pictures one by one are
  :mod:`margincore.analysis.plot` (``mc.plot``).
"""

from margincore.reports.build import Report, report

__all__ = ["Report", "report"]
