"""Parts and their manifest: whole or not there, the same bytes, computed again where something changed."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

import margincore as mc

pytest.importorskip("pyarrow")

import pyarrow as pa
import pyarrow.parquet as pq

from batch.books import contents, plan, rows, write
from margincore.batch import atomic, parts, tables


def run(folder: Path, out: Path, **options: Any) -> list[mc.batch.Part]:
    out.mkdir(exist_ok=True)
    made = [mc.batch.part(path, out, plan(**options)) for path in sorted(folder.iterdir())]
    mc.batch.manifest(out)
    return made


def times(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in out.glob("*.parquet")}


def test_a_part_has_the_bits_of_one_process(tmp_path: Path) -> None:
    paths = write(tmp_path / "in")
    made = run(tmp_path / "in", tmp_path / "out")
    for path, part in zip(paths, made, strict=True):
        table = pq.read_table(tmp_path / "out" / part.name)
        want = plan().margins(pq.read_table(path)).read_all()
        assert table.equals(want)
        assert table.schema.metadata[b"margincore.digest"].decode() == plan().prepared.digest
        assert (part.rows, part.accounts, part.errors) == (pq.read_metadata(path).num_rows, 30, 0)
        assert pickle.loads(pickle.dumps(part)) == part
    said = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (said["accounts"], said["plan"], len(said["parts"])) == (120, plan().digest, 4)
    assert said["made_of"]["market"] == plan().prepared.market.digest  # type: ignore[union-attr]


def test_two_runs_write_the_same_bytes_however_groups_of_rows_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "in")
    run(tmp_path / "in", tmp_path / "one")
    run(tmp_path / "in", tmp_path / "two", threads=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    monkeypatch.setattr(parts, "_GROUP", 7)
    monkeypatch.setattr("margincore.batch.tables.ROWS", 11)
    run(tmp_path / "in", tmp_path / "three")
    for name in times(tmp_path / "one"):
        assert pq.read_table(tmp_path / "three" / name).equals(pq.read_table(tmp_path / "one" / name))
        assert pq.read_metadata(tmp_path / "three" / name).row_group(0).num_rows == 7


@pytest.mark.parametrize("count", [50, 3_000], ids=["codes", "codes that a writer gave up"])
def test_labels_in_codes_come_back_as_text(tmp_path: Path, count: int) -> None:
    labels = pa.array([f"K{i:05}" for i in range(count) for _ in range(20)])
    table = pa.table({"account_id": labels, "contract_id": ["A"] * len(labels), "quantity": range(len(labels))})
    made = []
    for name, coded in (("text", False), ("codes", True)):
        folder = tmp_path / name
        folder.mkdir()
        # A dictionary of 4 KiB is full after some four hundred of these labels, and the writer goes on with text.
        pq.write_table(table, folder / "a.parquet", use_dictionary=coded, dictionary_pagesize_limit=4096)
        with tables.opened(folder / "a.parquet", labels=["account_id"]) as source:
            is_coded = pa.types.is_dictionary(next(iter(source)).schema.field("account_id").type)
            assert is_coded == (coded and count == 50)
        run(folder, tmp_path / f"{name} out")
        made.append(pq.read_table(tmp_path / f"{name} out" / "a.parquet"))
    assert made[0].schema.field("account_id").type == pa.string()
    assert made[0].schema.equals(made[1].schema, check_metadata=True)
    assert made[0].equals(made[1])


def test_only_what_changed_is_computed_again(tmp_path: Path) -> None:
    paths, out = write(tmp_path / "in"), tmp_path / "out"
    run(tmp_path / "in", out)
    first, before = times(out), contents(out)
    run(tmp_path / "in", out)
    assert times(out) == first
    pq.write_table(rows(9, 0, 30), paths[0])
    run(tmp_path / "in", out)
    assert [name for name, place in times(out).items() if place != first[name]] == ["book-0.parquet"]
    now = times(out)
    run(tmp_path / "in", out, spot=101.0)
    assert all(place != now[name] for name, place in times(out).items())
    pq.write_table(rows(0, 0, 30), paths[0])
    run(tmp_path / "in", out)
    assert contents(out) == before


def test_a_manifest_that_a_part_would_belie_goes_first(tmp_path: Path) -> None:
    paths, out = write(tmp_path / "in"), tmp_path / "out"
    run(tmp_path / "in", out)
    mc.batch.part(paths[0], out, plan())
    assert (out / "manifest.json").exists()
    mc.batch.part(paths[0], out, plan(spot=101.0))
    assert not (out / "manifest.json").exists()
    with pytest.raises(mc.InvalidInput, match=r"parts of 2 plans: book-0\.parquet and book-1\.parquet differ"):
        mc.batch.manifest(out)


def test_what_a_manifest_refuses(tmp_path: Path) -> None:
    paths, out = write(tmp_path / "in"), tmp_path / "out"
    out.mkdir()
    with pytest.raises(mc.MissingData, match="no part is in it"):
        mc.batch.manifest(out)
    run(tmp_path / "in", out)
    names = [path.name for path in paths]
    with pytest.raises(mc.MissingData, match=r"more\.parquet is not there"):
        mc.batch.manifest(out, parts=[*names, "more.parquet"])
    with pytest.raises(mc.InvalidInput, match=r"book-2\.parquet, book-3\.parquet are of no file of positions"):
        mc.batch.manifest(out, parts=names[:2])
    pq.write_table(rows(4, 100, 30), tmp_path / "in" / "book-4.parquet")
    with pytest.raises(mc.InvalidInput, match="account 'K00100' is in two parts") as caught:
        run(tmp_path / "in", out)
    assert (caught.value.code, caught.value.value) == ("duplicate", "K00100")
    pq.write_table(rows(4, 100, 30), out / "x.parquet")
    with pytest.raises(mc.ParseError, match=r"x\.parquet: this is no part"):
        mc.batch.manifest(out)


def test_errors_are_counted_or_end_the_part(tmp_path: Path) -> None:
    path, out = tmp_path / "a.parquet", tmp_path / "out"
    out.mkdir()
    pq.write_table(pa.table({"account": ["x", "y"], "contract": ["A", "TYPO"], "quantity": [1, 2]}), path)
    assert mc.batch.part(path, out, plan()).errors == 1
    assert pq.read_table(out / "a.parquet")["error_code"].to_pylist() == [None, "missing_contract"]
    with pytest.raises(mc.MissingData, match="account 'y'") as caught:
        mc.batch.part(path, out, plan(errors="raise"))
    assert str(caught.value).startswith(str(path))
    # The part that was there is still the old one.
    assert pq.read_table(out / "a.parquet").num_rows == 2
    assert [p.name for p in out.iterdir()] == ["a.parquet"]


def test_rows_that_were_never_grouped_are_found_out(tmp_path: Path) -> None:
    table = rows(1, 0, 30)
    shuffled = table.take(pa.array([*range(1, table.num_rows, 2), *range(0, table.num_rows, 2)]))
    pq.write_table(shuffled, tmp_path / "a.parquet")
    (tmp_path / "out").mkdir()
    with pytest.raises(mc.InvalidInput, match="returns"):
        mc.batch.part(tmp_path / "a.parquet", tmp_path / "out", plan())
    assert list((tmp_path / "out").iterdir()) == []
    assert mc.batch.part(tmp_path / "a.parquet", tmp_path / "out", plan(order="any")).accounts == 30


def _write(path: Path, table: Any) -> None:
    with pa.OSFile(str(path), "wb") as sink:
        kind = pa.ipc.new_stream if path.suffix == ".arrows" else pa.ipc.new_file
        with kind(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=13)


def test_other_formats_and_columns_that_are_passed_over(tmp_path: Path) -> None:
    table = rows(1, 0, 30).append_column("note", pa.array(["n"] * rows(1, 0, 30).num_rows))
    out = tmp_path / "out"
    out.mkdir()
    for name in ("a.arrow", "b.arrows", "c.parquet", "d.feather"):
        path = tmp_path / name
        pq.write_table(table, path) if name == "c.parquet" else _write(path, table)
        with pytest.raises(mc.InvalidInput, match="column 'note' is not known"):
            mc.batch.part(path, out, plan())
        made = mc.batch.part(path, out, plan(ignore=["note"]))
        assert made.rows == table.num_rows
        assert pq.read_table(out / made.name).equals(plan().margins(rows(1, 0, 30)).read_all())
        with pytest.raises(mc.MissingData, match="no column 'notes'"):
            mc.batch.part(path, out, plan(ignore=["note", "notes"]))


def test_a_file_without_rows_is_a_part_without_accounts(tmp_path: Path) -> None:
    pq.write_table(rows(1, 0, 3).slice(0, 0), tmp_path / "a.parquet")
    (tmp_path / "out").mkdir()
    made = mc.batch.part(tmp_path / "a.parquet", tmp_path / "out", plan())
    assert (made.rows, made.accounts) == (0, 0)
    assert mc.batch.manifest(tmp_path / "out")["accounts"] == 0


@pytest.mark.parametrize("size", [0, 3, 100, -30, -1])
def test_a_file_cut_short_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(rows(1, 0, 30), path)
    path.write_bytes(path.read_bytes()[:size])
    (tmp_path / "out").mkdir()
    with pytest.raises(mc.ParseError) as caught:
        mc.batch.part(path, tmp_path / "out", plan())
    assert caught.value.where == str(path)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_damaged_part_is_told(tmp_path: Path) -> None:
    paths, out = write(tmp_path / "in"), tmp_path / "out"
    run(tmp_path / "in", out)
    (out / paths[0].name).write_bytes((out / paths[0].name).read_bytes()[:-9])
    with pytest.raises(mc.ParseError, match=r"book-0\.parquet: it ends too early or is damaged"):
        mc.batch.part(paths[0], out, plan())


def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(rows(1, 0, 30), path)
    (tmp_path / "out").mkdir()
    digest = parts.sha256

    def and_a_write(path: Path) -> str:
        told = digest(path)
        pq.write_table(rows(2, 0, 31), path)
        return told

    monkeypatch.setattr(parts, "sha256", and_a_write)
    with pytest.raises(mc.InvalidInput, match="changed while it was read"):
        mc.batch.part(path, tmp_path / "out", plan())
    assert list((tmp_path / "out").iterdir()) == []


def test_parts_do_not_go_over_positions(tmp_path: Path) -> None:
    paths = write(tmp_path / "in")
    with pytest.raises(mc.InvalidInput, match="another folder"):
        mc.batch.part(paths[0], tmp_path / "in", plan())


def test_what_a_killed_writer_left_is_removed_and_nobody_elses(tmp_path: Path) -> None:
    write(tmp_path / "in")
    run(tmp_path / "in", tmp_path / "out")
    stray = tmp_path / "out" / ".book-0.parquet.0123456789abcdef.tmp"
    stray.write_bytes(b"half")
    with atomic.written(tmp_path / "out" / "kept.bin") as file:
        assert atomic.remove_strays(tmp_path / "out") == 1
        file.write(b"x")
    assert (tmp_path / "out" / "kept.bin").read_bytes() == b"x"
    stray.write_bytes(b"half")
    mc.batch.manifest(tmp_path / "out")
    assert not stray.exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device")
def test_a_full_disk_is_told_by_the_name_of_the_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own refusal, from within Arrow's writer."""
    paths, out = write(tmp_path / "in"), tmp_path / "out"
    out.mkdir()
    create = atomic._create

    def full(path: Path) -> Any:
        name, file = create(path)
        os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
        return name, file

    monkeypatch.setattr(atomic, "_create", full)
    with pytest.raises(OSError, match="No space left") as caught:
        mc.batch.part(paths[0], out, plan())
    assert caught.value.filename == str(out / "book-0.parquet")
    assert list(out.iterdir()) == []
    with pytest.raises(OSError, match="No space left"):
        plan().save(out / "a.mcplan")
    assert list(out.iterdir()) == []


def test_blocks_that_cut_an_account_are_refused() -> None:
    table, mapper = rows(1, 0, 30), mc.batch.Mapper(plan())
    one = mapper(table.slice(0, 11))
    assert mapper(table.slice(0, 11)).equals(one)
    cut = next(i for i in range(12, 40) if table["account_id"][i] == table["account_id"][i - 1])
    fresh = mc.batch.Mapper(plan())
    fresh(table.slice(0, cut))
    with pytest.raises(mc.InvalidInput, match="goes on from one block to the next"):
        fresh(table.slice(cut))
    assert mapper(table.slice(0, 0)).num_rows == 0
