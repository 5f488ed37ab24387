"""Plans: what travels is what was meant, or it is refused."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import pickle
import pickletools
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import margincore as mc
from margincore.batch import once, saved

pytest.importorskip("pyarrow")

import pyarrow as pa

from batch.books import TABLE, market, plan, rows

FIRST = plan().margins(rows(1, 0, 20)).read_all()


def _in_another(sent: bytes, answer: Any) -> None:
    plan: mc.batch.Plan = pickle.loads(sent)
    answer.send((plan.digest, plan.margins(rows(1, 0, 20)).read_all().to_pydict()))


def test_a_plan_gives_the_same_in_a_spawned_process() -> None:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_in_another, args=(pickle.dumps(plan()), there))
    process.start()
    assert here.poll(60)
    assert here.recv() == (plan().digest, FIRST.to_pydict())
    process.join(30)


def test_the_digest_is_of_everything_that_decides_the_result() -> None:
    one = plan()
    assert one.digest == plan(threads=2).digest == pickle.loads(pickle.dumps(one)).digest
    others = [
        plan(spot=101.0),
        plan(order="any"),
        plan(errors="raise"),
        plan(gross=True),
        plan(account="holder"),
        plan(cash={"USD": "usd"}),
        plan(ignore=["note"]),
        mc.batch.Plan(mc.methods.Tims(grid="even"), TABLE, market()),
        mc.batch.Plan(mc.methods.RegT(), TABLE, market()),
        mc.batch.Plan(mc.methods.Tims(), list(TABLE)[:2], market()),
    ]
    assert len({other.digest for other in (one, *others)}) == len(others) + 1


def test_every_rulebook_can_be_sent() -> None:
    """What a rulebook is made of is named whole, whichever it is; a bare one says what to do."""
    span = mc.methods.Span.from_parameters({"A": {"price_scan": 0.05, "vol_scan": 0.1}})
    for rulebook in (span, mc.methods.Crypto("span16-12pct-10pt"), mc.methods.RegT(), mc.methods.Rulebook("tims", {})):
        one = mc.batch.Plan(rulebook, TABLE, market())
        assert pickle.loads(pickle.dumps(one)).digest == one.digest
    with pytest.raises(mc.InvalidInput, match="bare Methodology"):
        mc.batch.Plan(mc.Methodology("tims", {}), TABLE, market())


def test_a_history_is_part_of_it() -> None:
    def var(last: float) -> mc.batch.Plan:
        history = {"A": np.array([1.0, 1.1, 1.2, last])}
        rulebook = mc.methods.HistoricalVar(history, returns="relative", measure="order_ceil", confidence="0.9")
        return mc.batch.Plan(rulebook, list(TABLE)[:1], market())

    assert var(1.0).digest == pickle.loads(pickle.dumps(var(1.0))).digest != var(1.1).digest


@pytest.mark.parametrize("part", ["market", "contracts", "options", "digest"])
def test_a_pickle_with_other_contents_is_refused(part: str) -> None:
    function, (name, version, state) = plan().__reduce__()
    others = {
        "market": market(101.0),
        "contracts": mc.Contracts(list(TABLE)[:2]),
        "options": {**state["options"], "gross": True},
        "digest": "0" * 64,
    }
    with pytest.raises(mc.ParseError, match="make the plan anew"):
        function(name, version, {**state, part: others[part]})


def test_a_pickle_of_another_build_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = pickle.dumps(plan())
    monkeypatch.setattr("margincore.batch.plan.__version__", "9.9.9")
    with pytest.raises(mc.ParseError, match="another build"):
        pickle.loads(sent)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"order": "sorted"}, "order is 'sorted': grouped or ascending or any"),
        ({"errors": "columns"}, "did you mean 'column'"),
        ({"account": 5}, "account is 5: text is needed"),
        ({"cash": ["usd"]}, 'columns by currency or asset, {"USD": "usd"}, are needed'),
        ({"cash": {"USD": 1}}, "are needed"),
        ({"ignore": "note"}, "a list of columns is needed"),
        ({"ignore": [1]}, "a list of columns is needed"),
        ({"gross": 1}, "true or false is needed"),
        ({"threads": -1}, "threads"),
    ],
)
def test_options_that_are_none(options: dict[str, Any], words: str) -> None:
    with pytest.raises(mc.InvalidInput) as caught:
        plan(**options)
    assert words in str(caught.value)
    assert caught.value.code in ("unknown_name", "wrong_type")


def test_a_plan_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        plan().digest = "x"  # type: ignore[misc]
    with pytest.raises(TypeError, match="read-only"):
        plan().options["order"] = "any"  # type: ignore[index]
    names = ["note"]
    one = plan(ignore=names)
    names.append("more")
    assert one.options["ignore"] == ["note"]


def claims_a(contract: mc.Contract) -> bool:
    return contract.underlying == "A"


def test_functions_of_a_combined_travel_by_name_and_not_in_files(tmp_path: Path) -> None:
    combined = mc.methods.Combined([(claims_a, mc.methods.Tims())])
    one = mc.batch.Plan(combined, list(TABLE)[:1], market())
    assert pickle.loads(pickle.dumps(one)).digest == one.digest
    with pytest.raises(mc.Unsupported, match="no part of this package"):
        one.save(tmp_path / "a.mcplan")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(mc.InvalidInput, match="lambda"):
        mc.batch.Plan(mc.methods.Combined([(lambda c: True, mc.methods.Tims())]), TABLE, market())


@pytest.mark.parametrize("errors", ["column", "raise"])
@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.large_string()])
def test_the_schema_is_that_of_the_result(errors: str, kind: pa.DataType) -> None:
    one = plan(errors=errors)
    table = pa.table({"account_id": pa.array([1, 2]).cast(kind), "contract_id": ["A", "B"], "quantity": [1, 2]})
    got = one.margins(table).schema
    assert one.schema(kind).equals(got)
    assert got.metadata[b"margincore.plan"].decode() == one.digest
    assert len(one.ddl().split(", ")) == len(got)
    assert plan(account="a`b").ddl("int").startswith("`a``b` int, initial double")


def test_a_rulebook_is_prepared_once_by_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    once._entries.clear()
    made: list[int] = []
    prepare = mc.batch.Plan._prepare

    def counted(self: mc.batch.Plan) -> mc.Prepared:
        made.append(1)
        return prepare(self)

    monkeypatch.setattr(mc.batch.Plan, "_prepare", counted)
    sent = pickle.dumps(plan(spot=55.0))
    got: list[mc.Prepared] = []
    start = threading.Barrier(8)

    def ask() -> None:
        own = pickle.loads(sent)
        start.wait()
        got.append(own.prepared)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 1
    assert len({id(prepared) for prepared in got}) == 1
    # Another way to read positions is no other rulebook.
    assert plan(spot=55.0, order="any").prepared is got[0]
    for spot in range(once.KEPT + 2):
        _ = plan(spot=60.0 + spot).prepared
    assert len(once._entries) == once.KEPT
    assert plan(spot=55.0).prepared is not got[0]


def test_one_that_fails_is_tried_again() -> None:
    once._entries.clear()
    bad = mc.batch.Plan(mc.methods.Tims(), TABLE, mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 1.0}))
    for _ in range(2):
        with pytest.raises(mc.MissingData):
            _ = bad.prepared
    assert once._entries == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_does_not_wait_for_what_its_parent_was_making() -> None:
    """Forked in the middle of a preparation: the thread that makes it is not in the child."""
    code = """if True:
        import os, sys, threading
        from margincore.batch import once
        from batch.books import plan
        made, go = plan().prepared, threading.Event()
        inside = threading.Event()
        def slow():
            inside.set()
            go.wait(60)
            return made
        maker = threading.Thread(target=once.once, args=("slow", slow))
        maker.start()
        inside.wait(60)
        once.once("done", lambda: made)
        child = os.fork()
        if child == 0:
            same = once.once("slow", lambda: made) is made and once.once("done", lambda: None) is made
            os._exit(0 if same else 1)
        _, status = os.waitpid(child, 0)
        go.set()
        maker.join()
        sys.exit(os.waitstatus_to_exitcode(status))
    """
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    run = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(run, env={**os.environ, "PYTHONPATH": path}, timeout=60, check=False)
    assert done.returncode == 0


def test_a_file_of_a_plan_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "tonight.mcplan"
    one = plan(order="any", cash={"USD": "usd"})
    one.save(path)
    one.save(path)
    assert mc.batch.Plan.load(path).digest == one.digest
    assert [p.name for p in tmp_path.iterdir()] == ["tonight.mcplan"]
    assert path.read_bytes().startswith(b"margincore plan 1\n")


def _file(body: bytes) -> bytes:
    return b"margincore plan 1\n" + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("never",)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no file of a plan"),
        (pickle.dumps(1), "no file of a plan"),
        (b"margincore plan x\n", "no file of a plan"),
        (b"margincore plan 2\n" + b"0" * 64 + b"\n", "version"),
        (_file(pickle.dumps(plan()))[:-1], "ends too early or is damaged"),
        (_file(b"\x80\x05."), "damaged"),
        (_file(pickle.dumps(_Evil())), "mkdir"),
        (_file(pickle.dumps(eval)), "eval"),
        (_file(pickle.dumps(mc.Stock("A", currency="USD"))), "a plan is needed, not Contract"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, words: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.mcplan"
    path.write_bytes(data)
    with pytest.raises(mc.ParseError) as caught:
        mc.batch.Plan.load(path)
    assert words in str(caught.value)
    assert caught.value.where == str(path)
    assert not (tmp_path / "never").exists()


def test_a_file_names_little(tmp_path: Path) -> None:
    """What the pickle of a plan calls is what may be called: NumPy's names of other versions are allowed beside."""
    plan().save(tmp_path / "a.mcplan")
    body = (tmp_path / "a.mcplan").read_bytes().split(b"\n", 2)[2]
    texts, called = [], set()
    for code, argument, _ in pickletools.genops(body):
        if isinstance(argument, str):
            texts.append(argument)
        called |= {code.name} if "GLOBAL" in code.name or "INST" in code.name else set()
    assert called == {"STACK_GLOBAL"}
    assert {module for module, _ in saved._ALLOWED} >= {t for t in texts if t.startswith(("numpy", "margincore._"))}
    with pytest.raises(OSError):
        mc.batch.Plan.load(tmp_path / "none.mcplan")
