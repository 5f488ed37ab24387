//! A rulebook of a page, written only against the seam: the worst of two moves of every stock, with an account of its
//! own that keeps sums between trades.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::civil::Date;
use margincore::account::AccountView;
use margincore::cells::{Block, Cells, LinearCell, RiskArrays, Scenarios, VolMoves};
use margincore::contract::{ContractIndex, Contracts};
use margincore::error::Result;
use margincore::fail;
use margincore::market::Market;
use margincore::report::{Currencies, Ledger, LineText, ParameterInfo, Requirement, Totals};
use margincore::seam::{
    self, Estimate, Frame, Live, Methodology, Outcome, Prepared, Quoted, Resolved, Rulebook,
};
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct Toy {
    info: ParameterInfo,
    currency: String,
    /// How often a table was placed.
    pub(crate) resolved: Arc<AtomicUsize>,
}

impl Toy {
    pub(crate) fn new(currency: &str) -> Self {
        let info = ParameterInfo {
            name: "toy".into(),
            version: "1".into(),
            effective: "2026-01-01".into(),
            source: "a test".into(),
            digest: String::new(),
            superseded_by: String::new(),
        };
        Self {
            info,
            currency: currency.into(),
            resolved: Arc::default(),
        }
    }
}

impl Methodology for Toy {
    fn name(&self) -> &'static str {
        "Toy"
    }

    fn parameters(&self) -> &ParameterInfo {
        &self.info
    }

    fn resolve(&self, contracts: &Arc<Contracts>, _on: Option<Date>) -> Result<Arc<dyn Resolved>> {
        self.resolved.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(ToyTable {
            toy: self.clone(),
            contracts: contracts.clone(),
        }))
    }
}

struct ToyTable {
    toy: Toy,
    contracts: Arc<Contracts>,
}

impl Resolved for ToyTable {
    fn at(self: Arc<Self>, market: Option<&Arc<Market>>) -> Result<Box<dyn Quoted>> {
        let Some(market) = market else {
            fail!(MissingData, "toy: a market is needed");
        };
        let linear = self
            .contracts
            .iter()
            .map(|(row, contract)| {
                Ok(LinearCell {
                    contract: row,
                    price: market.linear_price(&self.contracts, row)?,
                    scale: contract.value_per_lot(),
                })
            })
            .collect::<Result<_>>()?;
        let scenarios = Scenarios {
            labels: ["down".to_string(), "up".to_string()].into(),
            price: vec![-0.1, 0.2],
            vol: VolMoves::Shared(vec![0.0, 0.0]),
            roll: 0.0,
        };
        let cells = Cells {
            blocks: vec![Block {
                scope: "all".into(),
                scenarios,
                linear,
                ..Block::default()
            }],
            ..Cells::default()
        };
        Ok(Box::new(ToyQuotes {
            valuation: market.snapshot().valuation.clone(),
            cells: Arc::new(cells),
            table: self,
        }))
    }
}

struct ToyQuotes {
    table: Arc<ToyTable>,
    valuation: String,
    cells: Arc<Cells>,
}

impl Quoted for ToyQuotes {
    fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    fn compile(self: Box<Self>, arrays: RiskArrays) -> Result<Arc<dyn Prepared>> {
        let ToyTable { toy, contracts } = &*self.table;
        let frame = Frame {
            methodology: "Toy".into(),
            parameters: toy.info.clone(),
            valuation: Some(self.valuation),
            contracts: contracts.clone(),
            currencies: Currencies::new(&toy.currency),
        };
        Ok(seam::compiled(ToyBook { frame, arrays }, ToyLive::open))
    }
}

struct ToyBook {
    frame: Frame,
    arrays: RiskArrays,
}

impl ToyBook {
    fn add(&self, loss: &mut [f64; 2], contract: ContractIndex, lots: i64) {
        let row = self.arrays.blocks[0].row(contract as usize);
        for (sum, pnl) in loss.iter_mut().zip(row) {
            *sum = (-lots as f64).mul_add(*pnl, *sum);
        }
    }
}

impl Rulebook for ToyBook {
    type Scratch = ();

    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        (): &mut (),
        ledger: &mut L,
    ) -> Result<Outcome> {
        let mut loss = [0.0_f64; 2];
        for i in 0..account.positions.len() {
            self.add(
                &mut loss,
                account.positions.contract[i],
                account.positions.net(i),
            );
        }
        let at = usize::from(loss[1] > loss[0]);
        ledger.line(0, loss[at], 0.8 * loss[at], &|| {
            LineText::new("all", "scan")
        });
        ledger.line(0, -1.0, -0.5, &|| LineText::new("all", "credit"));
        Ok(Outcome {
            net_option_value: 0.0,
            worst_scenario: Some(at as u32),
            pairing_gap: None,
        })
    }

    fn scenario_label(&self, scenario: u32) -> String {
        ["down", "up"][scenario as usize].into()
    }

    fn details(&self, _: AccountView<'_>) -> Result<Value> {
        Ok(json!({}))
    }
}

/// The losses of the open account, to which a trade is added.
struct ToyLive {
    book: Arc<ToyBook>,
    loss: [f64; 2],
    magnitude: f64,
    positions: usize,
    totals: Totals,
}

impl ToyLive {
    fn open(book: Arc<ToyBook>) -> Box<dyn Live> {
        Box::new(Self {
            book,
            loss: [0.0; 2],
            magnitude: 0.0,
            positions: 0,
            totals: Totals::default(),
        })
    }

    fn magnitude(&self, contract: ContractIndex, lots: i64) -> f64 {
        let row = self.book.arrays.blocks[0].row(contract as usize);
        let largest = row.iter().map(|pnl| pnl.abs()).fold(0.0, f64::max);
        lots.unsigned_abs() as f64 * largest
    }
}

impl Live for ToyLive {
    fn keep(&mut self, account: AccountView<'_>) -> Result<Requirement> {
        (self.loss, self.magnitude) = ([0.0; 2], 0.0);
        self.positions = account.positions.len();
        for i in 0..account.positions.len() {
            let (contract, lots) = (account.positions.contract[i], account.positions.net(i));
            self.book.add(&mut self.loss, contract, lots);
            self.magnitude += self.magnitude(contract, lots);
        }
        self.requirement(account, &[])
    }

    fn requirement(
        &mut self,
        account: AccountView<'_>,
        _changed: &[ContractIndex],
    ) -> Result<Requirement> {
        seam::fresh(self.book.as_ref(), account, &mut (), &mut self.totals)
    }

    fn after(
        &mut self,
        _account: AccountView<'_>,
        contract: ContractIndex,
        lots: i64,
    ) -> Option<Estimate> {
        let mut loss = self.loss;
        self.book.add(&mut loss, contract, lots);
        let size = self.magnitude + self.magnitude(contract, lots) + 1.0;
        Some(Estimate {
            initial: loss[0].max(loss[1]) - 1.0,
            band: 2.0 * (self.positions + 3) as f64 * 2.0_f64.powi(-53) * size,
        })
    }

    fn is_convex(&self, _contract: ContractIndex) -> bool {
        true
    }
}
