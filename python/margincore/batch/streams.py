"""Positions in, requirements out, for engines that call a function with record batches or blocks of Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from margincore._core import InvalidInput
from margincore.batch.plan import Plan

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Mapper", "map_arrow"]


def map_arrow(plan: Plan) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function of an iterator of positions that gives requirements, for ``mapInArrow`` of Spark and its like.

    It pickles, and imports no engine. A partition is read as a stream: an account that runs over the end of a batch
    goes on in the next, the last is closed at the end, and no more is in memory than a batch and one label an account.
    A partition without rows gives nothing, and nothing is prepared for it. Rows of an account have to be in one
    partition and together: an account that returns after another raises :class:`margincore.InvalidInput` (also with
    ``errors="column"``), which is how rows that were never grouped are found out. What else is raised is what
    :meth:`margincore.Prepared.margin_arrow` raises.

    >>> import margincore as mc, pickle, pyarrow as pa
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0})
    >>> plan = Plan(mc.methods.Tims(), [mc.Stock("A", currency="USD")], market)
    >>> rows = pa.table({"account": [1, 1, 2], "contract": ["A", "A", "A"], "quantity": [100, -50, 10]})
    >>> made = pickle.loads(pickle.dumps(map_arrow(plan)))(iter(rows.to_batches(max_chunksize=1)))
    >>> pa.Table.from_batches(made).select(["account", "initial"]).to_pylist()
    [{'account': 1, 'initial': 75.0}, {'account': 2, 'initial': 15.0}]
    >>> list(map_arrow(plan)(iter([])))
    []
    """
    return partial(_mapped, plan)


def _mapped(plan: Plan, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    batches = iter(batches)
    first = next((batch for batch in batches if batch.num_rows), None)
    if first is not None:
        yield from (made for made in plan.margins(chain([first], batches)) if made.num_rows)


class Mapper:
    """A class whose objects make requirements of a block of whole accounts, for ``map_batches`` of Ray and its like.

    Called with a pyarrow table, it gives a pyarrow table. Every account has to be whole within one block, its rows
    together; blocks are for the engine to make, by a shuffle on the account (``repartition(n, keys=["account_id"])``
    and then ``batch_size=None``). Raises :class:`margincore.InvalidInput` for an account that returns within a block,
    and for one that ends a block and begins the next that comes here: then the engine has cut the table anywhere. That
    same block once more, as after a fault, is taken.

    >>> import margincore as mc, pyarrow as pa
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0})
    >>> mapper = Mapper(Plan(mc.methods.Tims(), [mc.Stock("A", currency="USD")], market))
    >>> rows = pa.table({"account": [1, 1, 2], "contract": ["A", "A", "A"], "quantity": [100, -50, 10]})
    >>> mapper(rows)["initial"].to_pylist()
    [75.0, 15.0]
    >>> mapper(rows[2:])
    Traceback (most recent call last):
        ...
    margincore.InvalidInput: account 2 goes on from one block to the next: ...
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._last: tuple[Any, Any, int] | None = None

    def __call__(self, block: pa.Table) -> pa.Table:
        if block.num_rows == 0:
            return self.plan.margins(block).read_all()
        made = self.plan.margins(block).read_all()
        labels = made.column(0)
        ends = (labels[0].as_py(), labels[len(labels) - 1].as_py(), block.num_rows)
        if self._last is not None and ends != self._last and ends[0] == self._last[1]:
            raise InvalidInput(
                f"account {ends[0]!r} goes on from one block to the next: blocks of whole accounts are needed: "
                "repartition by the account first",
                code="contradiction",
                where="account",
                value=ends[0],
            )
        self._last = ends
        return made
