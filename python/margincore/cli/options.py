"""Arguments and options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from margincore.cli.rulebooks import complete

METHOD = "Rulebook: name[@date or @parameter set], as 'margincore rulebooks -v' lists them"
Method = Annotated[
    str | None,
    typer.Option(help=f"{METHOD}; left out where the document names it.", autocompletion=complete),
]
Methods = Annotated[
    list[str] | None, typer.Option(help=f"{METHOD}; repeat it to compare rulebooks.", autocompletion=complete)
]
MaxAge = Annotated[
    float | None, typer.Option(help="Seconds that the market's valuation may be old by the clock; else exit code 4.")
]

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
AccountFile = Annotated[
    Path,
    typer.Argument(
        help="A JSON document (or its 'account' part), or a CSV with the columns symbol, quantity and, "
        "if need be, kind (option, stock, etf, cash), price, vol. Option symbols and quantities suffice."
    ),
]
MarketFile = Annotated[
    Path | None,
    typer.Option(
        help="JSON market (valuation, spot, rate, vol or price by contract id or option symbol ...), or a Cboe "
        "quotes CSV of European index options, plain or .gz."
    ),
]
QuoteRate = Annotated[
    float | None, typer.Option(help="Continuously compounded annual rate for a quotes CSV (0.05 is 5 %).")
]
ParametersFile = Annotated[
    Path | None, typer.Option(help="JSON object with the rulebook's parameters (one --method only).")
]
Lot = Annotated[
    float | None,
    typer.Option(help="Least quantity of a share in a CSV account: 0.001 where three decimals are kept."),
]
Equities = Annotated[
    list[str] | None,
    typer.Option(help="A stock whose options are standard (American, 100 shares); repeat for more."),
]
