//! A rulebook of a page, written only against the seam: a tenth of every stock's value, or the worst of two moves.

use std::sync::Arc;

use margincore::account::AccountView;
use margincore::cells::{Block, Cells, LinearCell, RiskArrays, Scenarios, VolMoves};
use margincore::contract::Contracts;
use margincore::error::Result;
use margincore::market::Market;
use margincore::report::{Currencies, Ledger, LineText, ParameterInfo};
use margincore::seam::{Frame, Methodology, Outcome, Prepared, Rulebook};
use serde_json::{Value, json};

pub(crate) struct Toy {
    info: ParameterInfo,
    currency: String,
}

impl Toy {
    pub(crate) fn new(currency: &str) -> Self {
        let info = ParameterInfo {
            name: "toy".into(),
            version: "1".into(),
            effective: "2026-01-01".into(),
            source: "a test".into(),
            digest: String::new(),
        };
        Self {
            info,
            currency: currency.into(),
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

    fn cells(&self, contracts: &Arc<Contracts>, market: Option<&Arc<Market>>) -> Result<Cells> {
        let market = market.expect("the tests give one");
        let linear = contracts
            .iter()
            .map(|(row, contract)| {
                Ok(LinearCell {
                    contract: row,
                    price: market.linear_price(contracts, row)?,
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
        Ok(Cells {
            blocks: vec![Block {
                scope: "all".into(),
                scenarios,
                linear,
                ..Block::default()
            }],
            ..Cells::default()
        })
    }

    fn compile(
        &self,
        contracts: &Arc<Contracts>,
        market: Option<&Arc<Market>>,
        arrays: RiskArrays,
    ) -> Result<Arc<dyn Prepared>> {
        let frame = Frame {
            methodology: "Toy".into(),
            parameters: self.info.clone(),
            valuation: market.map(|m| m.snapshot().valuation.clone()),
            contracts: contracts.clone(),
            currencies: Currencies::new(&self.currency),
        };
        Ok(Arc::new(ToyBook { frame, arrays }))
    }
}

struct ToyBook {
    frame: Frame,
    arrays: RiskArrays,
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
            let row = self.arrays.blocks[0].row(account.positions.contract[i] as usize);
            let quantity = account.positions.net(i) as f64;
            for (sum, pnl) in loss.iter_mut().zip(row) {
                *sum = (-quantity).mul_add(*pnl, *sum);
            }
        }
        let at = usize::from(loss[1] > loss[0]);
        ledger.line(0, loss[at], 0.8 * loss[at], &|| {
            LineText::new("all", "scan")
        });
        ledger.line(0, -1.0, -0.5, &|| LineText::new("all", "credit"));
        Ok(Outcome {
            net_option_value: 0.0,
            worst_scenario: Some(at as u32),
        })
    }

    fn scenario_label(&self, scenario: u32) -> String {
        ["down", "up"][scenario as usize].into()
    }

    fn details(&self, _: AccountView<'_>) -> Result<Value> {
        Ok(json!({}))
    }
}
