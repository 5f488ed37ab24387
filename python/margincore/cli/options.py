"""Arguments and options that commands share, and :class:`Files`, the ones that say what is margined."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from margincore.cli import positions
from margincore.cli.rulebooks import complete
from margincore.cli.stdin import from_stdin

__all__ = ["AccountFile", "Files", "Json", "MaxAge", "Method", "Methods", "takes_files"]

_METHOD = r"Rulebook: name\[@date or @parameter set], as 'margincore rulebooks -v' lists them"
Method = Annotated[
    str | None,
    typer.Option(help=f"{_METHOD}; left out where the document names it.", autocompletion=complete),
]
Methods = Annotated[
    list[str] | None, typer.Option(help=f"{_METHOD}; repeat it to compare rulebooks.", autocompletion=complete)
]
MaxAge = Annotated[
    float | None,
    typer.Option(min=0.0, help="Seconds that the market's valuation may be old by the clock; else exit code 4."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
AccountFile = Annotated[
    Path,
    typer.Argument(
        help="A JSON document (or its 'account' part), positions as a broker, clearing house or venue lets them be "
        "downloaded, or a CSV with the columns symbol, quantity and, if need be, kind (option, stock, etf, cash), "
        "price, vol. - is standard input, here as for every file.",
        callback=from_stdin,
    ),
]
MarketFile = Annotated[
    Path | None,
    typer.Option(
        help="JSON market (valuation, spot, rate, vol or price by contract id or option symbol ...), or a Cboe "
        "quotes CSV of European index options, plain or .gz.",
        callback=from_stdin,
    ),
]
QuoteRate = Annotated[
    float | None,
    typer.Option(help="Continuously compounded annual rate (0.05 is 5 %), for a quotes CSV or a file of positions."),
]
ParametersFile = Annotated[
    Path | None,
    typer.Option(help="JSON object with the rulebook's parameters (one --method only).", callback=from_stdin),
]
Lot = Annotated[
    float | None,
    typer.Option(help="Least quantity of a share in a CSV account: 0.001 where three decimals are kept."),
]
Equities = Annotated[
    list[str] | None,
    typer.Option(help="A stock whose options are standard (American, 100 shares); repeat for more."),
]


@dataclass(frozen=True)
class Files:
    """What stands beside an account's file: a market, a rulebook's parameters, how a broker's file is to be read."""

    market: MarketFile = None
    rate: QuoteRate = None
    parameters: ParametersFile = None
    equity: Equities = None
    lot: Lot = None
    quotes: positions.QuotesFile = None
    valuation: positions.Valuation = None
    close: positions.Close = None
    lenient: positions.Lenient = False
    map: positions.Map = None
    account_id: positions.AccountId = None
    format: positions.FileFormat = None
    terms: positions.TermsOption = None
    money_fund: positions.MoneyFunds = None
    kind: positions.Kind = None
    leave_out: positions.LeaveOut = None

    @property
    def equities(self) -> tuple[str, ...]:
        """The stocks whose options are standard."""
        return tuple(self.equity or ())

    def paths(self) -> list[Path]:
        """The files."""
        return [path for path in (self.market, self.parameters, self.quotes) if path is not None]

    def stated(self) -> list[str]:
        """The options that are given."""
        return [f"--{each.name.replace('_', '-')}" for each in fields(self) if getattr(self, each.name)]

    @property
    def beside(self) -> positions.Beside:
        """How a broker's file is to be read."""
        return positions.Beside(
            self.quotes, self.valuation, self.close, self.lenient, self.map, self.account_id, self.format,
            tuple(self.terms or ()), tuple(self.money_fund or ()), self.kind, tuple(self.leave_out or ()),
        )  # fmt: skip


def takes_files(*, without: Sequence[str] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command's parameter `files` as the options of :class:`Files`, but those it has another meaning for."""

    def expanded(command: Callable[..., None]) -> Callable[..., None]:
        kinds = get_type_hints(Files, include_extras=True)
        names = [field.name for field in fields(Files) if field.name not in without]
        own = inspect.signature(command, eval_str=True).parameters
        options: list[inspect.Parameter] = []
        for name, parameter in own.items():
            if name != "files":
                options.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
                continue
            options += [
                inspect.Parameter(
                    each, inspect.Parameter.KEYWORD_ONLY, default=getattr(Files, each), annotation=kinds[each]
                )
                for each in names
            ]

        @wraps(command)
        def run(**given: Any) -> None:
            files = Files(**{name: given.pop(name) for name in names})
            command(**given, files=files)

        run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
        run.__annotations__ = {option.name: option.annotation for option in options}
        del run.__wrapped__
        return run

    return expanded
