"""Requirements of millions of accounts: a plan that travels, streams of Arrow, files that survive a kill.

A :class:`Plan` is a rulebook, a table of contracts and a market, with what the columns of positions are called. It is
small when pickled and prepares itself once in every process that uses it. :func:`map_arrow` and :class:`Mapper` are
what an engine such as Spark or Ray calls; :func:`part` makes one file of requirements of one file of positions, and
:func:`manifest` says what is in a folder of them. None of it imports an engine; all of it but the plan needs pyarrow
(extra ``arrow``). ``margincore batch`` is the same on the command line.

>>> import margincore as mc, pyarrow as pa
>>> table = mc.Contracts([mc.Stock("A", currency="USD")])
>>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0})
>>> plan = mc.batch.Plan(mc.methods.Tims(), table, market)
>>> rows = pa.table({"account_id": ["x", "y"], "contract_id": ["A", "A"], "quantity": [100, -50]})
>>> pa.Table.from_batches(mc.batch.map_arrow(plan)(iter(rows.to_batches())))["initial"].to_pylist()
[150.0, 75.0]
"""

from margincore.batch.cluster import cluster
from margincore.batch.parts import Part, manifest, part
from margincore.batch.plan import Plan
from margincore.batch.streams import Mapper, map_arrow

__all__ = ["Mapper", "Part", "Plan", "cluster", "manifest", "map_arrow", "part"]
