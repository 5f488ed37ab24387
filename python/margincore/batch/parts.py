"""A file of requirements for each file of positions, stamped with what it was made of; and what is in a folder of them.

A part takes its name when it is whole and on disk, and says what it is made of in its own footer: a run that is killed
is run again, and computes what is not there. The same positions under the same plan give the same bytes, whoever
computes them and however often, so that work that is done at least once is done once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from margincore._core import InvalidInput, MarginError, MissingData, ParseError, check_version
from margincore._pickles import Record
from margincore.batch.atomic import remove_strays, written
from margincore.batch.plan import Plan
from margincore.batch.tables import foreign_errors, opened, sha256, stated
from margincore.json_objects import json_object

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MANIFEST", "Part", "manifest", "part", "part_name"]

MANIFEST = "manifest.json"
_VERSION = 1
_STAMP = b"margincore.part"
_GROUP = 131_072
"""Accounts in a group of rows of a part."""


@dataclass(frozen=True, slots=True)
class Part(Record):
    """What a part is made of, as its footer says it.

    `name` is that of its file, `plan` the plan's digest, `input` the SHA-256 of the file of positions; `rows` are the
    positions read, `accounts` the requirements written, `errors` those of them that say why there is none.
    """

    name: str
    plan: str
    input: str
    rows: int
    accounts: int
    errors: int


def part_name(path: str | os.PathLike[str]) -> str:
    """What the part of a file of positions is called.

    >>> part_name("in/a.parquet"), part_name("in/a.arrow")
    ('a.parquet', 'a.arrow.parquet')
    """
    name = Path(path).name
    return name if name.endswith(".parquet") else f"{name}.parquet"


def part(path: str | os.PathLike[str], out: str | os.PathLike[str], plan: Plan) -> Part:
    """Requirements of one file of positions, as one Parquet file in the folder `out`. What the part is made of.

    The file (Parquet, or Arrow's file or stream) has whole accounts, their rows together or in any order as the plan's
    ``order`` says; it is read as a stream. A part that is there and was made under the same plan of the same bytes is
    left as it is. It appears whole or not at all, and a manifest of the folder that it would belie is removed first.
    The columns are those of :meth:`Plan.schema`, in groups of rows with checksums.

    Raises what :meth:`margincore.Prepared.margin_arrow` raises, with the path in front, :class:`margincore.ParseError`
    for a file that is damaged, :class:`margincore.InvalidInput` for one that changed while it was read, and
    :class:`OSError`, which names the file, where the system refuses: nothing is left behind then.

    >>> import margincore as mc, pyarrow as pa, pyarrow.parquet as pq, tempfile
    >>> folder, out = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
    >>> pq.write_table(pa.table({"account": [1, 2], "contract": ["A", "A"], "quantity": [9, -9]}), folder / "a.parquet")
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0})
    >>> made = part(folder / "a.parquet", out, Plan(mc.methods.Tims(), [mc.Stock("A", currency="USD")], market))
    >>> made.rows, made.accounts, made.errors, pq.read_table(out / made.name)["initial"].to_pylist()
    (2, 2, 0, [13.5, 13.5])
    """
    path, folder = Path(path), Path(out)
    before = stated(path)
    digest = sha256(path)
    target = folder / part_name(path)
    if folder.resolve() == path.parent.resolve():
        raise InvalidInput(f"{path}: parts go to another folder than positions", code="contradiction", where=str(path))
    found = _stamped(target)
    if found is not None and (found.plan, found.input) == (plan.digest, digest):
        return found
    try:
        return _written(path, digest, before, target, plan)
    except MarginError as error:
        if not str(error).startswith(str(path)):
            error.named(str(path))
        raise


def _written(path: Path, digest: str, before: object, target: Path, plan: Plan) -> Part:
    accounts = errors = 0
    columns = {"codes": plan.columns("contract"), "labels": plan.columns("account"), "without": plan.columns("ignore")}
    with opened(path, **columns) as source:
        reader = plan.margins(source, ignore=source.missing)
        label = reader.schema.field(0)
        schema = reader.schema.set(0, label.with_type(source.texts.get(label.name, label.type)))
        with written(target) as file, _writer(file, schema) as writer:
            for table in _even(batch.cast(schema) for batch in reader):
                accounts += table.num_rows
                if "error_kind" in table.column_names:
                    errors += table.num_rows - table["error_kind"].null_count
                writer.write_table(table, row_group_size=_GROUP)
            if stated(path) != before:
                raise InvalidInput(f"{path}: it changed while it was read: run it again", where=str(path))
            made = Part(target.name, plan.digest, digest, source.rows, accounts, errors)
            writer.add_key_value_metadata({_STAMP: _stamp(made)})
            writer.close()
            target.with_name(MANIFEST).unlink(missing_ok=True)
    return made


@contextmanager
def _writer(file: BinaryIO, schema: pa.Schema) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Amounts hardly repeat, and labels of accounts come once each: codes of them would be a second copy.
    coded = [field.name for field in list(schema)[1:] if not pa.types.is_floating(field.type)]
    writer = pq.ParquetWriter(
        file, schema, compression="zstd", use_dictionary=coded, write_page_checksum=True, store_schema=True
    )
    try:
        yield writer
    finally:
        with suppress(Exception):  # nothing where it was closed; or what was the matter already
            writer.close()


def _even(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Requirements in tables of one size, however the batches they come in are cut."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        while count >= _GROUP:
            table = pa.Table.from_batches(held)
            yield table.slice(0, _GROUP).combine_chunks()
            held = table.slice(_GROUP).to_batches()
            count -= _GROUP
    if count:
        yield pa.Table.from_batches(held).combine_chunks()


def _stamp(part: Part) -> bytes:
    stamp = {"version": _VERSION, **_document(part)}
    del stamp["name"]
    return json.dumps(stamp, sort_keys=True, separators=(",", ":")).encode()


def _document(part: Part) -> dict[str, Any]:
    return {field.name: getattr(part, field.name) for field in fields(part)}


def _stamped(path: Path) -> Part | None:
    """What a part says it is made of; none where there is no file. Raises :class:`ParseError` for another's."""
    import pyarrow.parquet as pq

    if not path.exists():
        return None
    try:
        with foreign_errors(path):
            stamp = (pq.read_metadata(path).metadata or {}).get(_STAMP)
    except ParseError as error:
        raise ParseError(f"{error}; remove it, and it is made anew", code=error.code, where=error.where) from None
    if stamp is None:
        raise ParseError(f"{path}: this is no part: it does not say what it was made of", where=str(path))
    document = json_object(stamp.decode(), str(path))
    check_version(str(path), document.pop("version", None), 1, _VERSION)
    try:
        return Part(name=path.name, **document)
    except TypeError as error:
        raise ParseError(f"{path}: its stamp is not that of a part: {error}", where=str(path)) from None


def manifest(out: str | os.PathLike[str], *, parts: Collection[str] | None = None) -> dict[str, Any]:
    """Write what is in a folder of parts as ``manifest.json``, last of all, and return it.

    It has the plan, what the plan was made of, and every part by name with its stamp; no times and no machines: two
    runs that came to the same parts write the same bytes. `parts` are the names that have to be there, and no other;
    where they are left out, whatever is there. What killed writers left is removed.

    Raises :class:`margincore.MissingData` for a part that is not there, and :class:`margincore.InvalidInput` for parts
    of two plans, a part that should not be there, and an account that is in two parts: whole accounts were promised.

    >>> import margincore as mc, pyarrow as pa, pyarrow.parquet as pq, tempfile
    >>> folder, out = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0})
    >>> plan = Plan(mc.methods.Tims(), [mc.Stock("A", currency="USD")], market)
    >>> for name, account in [("a.parquet", 1), ("b.parquet", 2)]:
    ...     rows = pa.table({"account": [account], "contract": ["A"], "quantity": [100]})
    ...     pq.write_table(rows, folder / name)
    ...     made = part(folder / name, out, plan)
    >>> said = manifest(out)
    >>> said["accounts"], [part["name"] for part in said["parts"]], said["plan"] == plan.digest
    (2, ['a.parquet', 'b.parquet'], True)
    """
    folder = Path(out)
    remove_strays(folder)
    names = sorted(path.name for path in folder.glob("*.parquet"))
    if parts is not None:
        missing, more = sorted({*parts} - {*names}), sorted({*names} - {*parts})
        if missing:
            raise MissingData(f"{folder}: {_some(missing)} not there", where=str(folder), code="not_stated")
        if more:
            raise InvalidInput(
                f"{folder}: {_some(more)} of no file of positions of this run: remove what is old",
                where=str(folder),
                code="contradiction",
            )
    if not names:
        raise MissingData(f"{folder}: no part is in it", where=str(folder), code="not_stated")
    stamps = [stamp for name in names if (stamp := _stamped(folder / name)) is not None]
    plans = sorted({stamp.plan for stamp in stamps})
    if len(plans) > 1:
        strange = next(stamp.name for stamp in stamps if stamp.plan != stamps[0].plan)
        raise InvalidInput(
            f"{folder}: parts of {len(plans)} plans: {stamps[0].name} and {strange} differ: make them anew under one",
            where=str(folder),
            code="contradiction",
        )
    made_of = _one_account_each(folder, names)
    said = {
        "version": _VERSION,
        "plan": plans[0],
        "made_of": made_of,
        "parts": [{key: value for key, value in _document(stamp).items() if key != "plan"} for stamp in stamps],
        **{name: sum(getattr(stamp, name) for stamp in stamps) for name in ("rows", "accounts", "errors")},
    }
    with written(folder / MANIFEST) as file:
        file.write((json.dumps(said, sort_keys=True, indent=1) + "\n").encode())
    return said


def _one_account_each(folder: Path, names: list[str]) -> dict[str, str]:
    """What the parts were made of, by their schemas; and no account is in two of them."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    made_of: dict[str, str] = {}
    chunks: list[pa.Array] = []
    for name in names:
        with foreign_errors(folder / name), pq.ParquetFile(folder / name) as file:
            schema = file.schema_arrow
            made_of = {
                key.decode().removeprefix("margincore."): value.decode()
                for key, value in (schema.metadata or {}).items()
                if key.startswith(b"margincore.") and key not in (b"margincore.plan", _STAMP)
            }
            chunks += file.read([schema.names[0]], use_threads=False).column(0).chunks
    if len({chunk.type for chunk in chunks}) > 1:
        raise InvalidInput(f"{folder}: parts whose accounts are of two types", where=str(folder), code="contradiction")
    labels = pa.chunked_array(chunks) if chunks else pa.chunked_array([], pa.string())
    if labels.num_chunks and pa.types.is_dictionary(labels.type):
        labels = labels.cast(labels.type.value_type)
    for some in _apart(labels):
        if pc.count_distinct(some).as_py() == len(some):
            continue
        counts = pc.value_counts(some)
        twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")[0].as_py()
        raise InvalidInput(
            f"{folder}: account {twice!r} is in two parts: files of whole accounts are needed (margincore batch "
            "--cluster-by makes them)",
            where=str(folder),
            code="duplicate",
            value=twice,
        )
    return made_of


def _apart(labels: pa.ChunkedArray) -> Iterator[pa.ChunkedArray]:
    """Labels in groups, equal ones together: a table of all of them would take 240 bytes for each.

    By the last letter or digit, in which the names of accounts differ most.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_integer(labels.type):
        last = pc.bit_wise_and(labels, pa.scalar(15, labels.type))
    elif pa.types.is_string(labels.type) or pa.types.is_large_string(labels.type):
        last = pc.utf8_slice_codeunits(labels, -1)
    else:
        yield labels
        return
    for value in pc.unique(last):
        yield labels.filter(pc.equal(last, value))


def _some(names: list[str]) -> str:
    """Names in a sentence, the first few of many."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more} {'is' if len(names) == 1 else 'are'}"
