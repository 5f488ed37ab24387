//! Why: each component's worst scenarios with their dates, its tail, and every position's part of the risk.

use serde_json::{Map, Value, json};

use super::book::{Book, ComponentBook, SetBook};
use super::charges;
use super::positions::{SetPositions, Side};
use super::risk::{Part, RiskScratch};
use super::tail::Tail;
use engine::account::AccountView;
use kernel::error::Result;

/// Scenarios listed where the tail itself is shorter.
const LISTED: usize = 20;

impl Book {
    pub(super) fn explain(&self, account: AccountView<'_>) -> Result<Value> {
        let mut positions = Vec::new();
        let mut sets = Map::new();
        for &side in Side::of(account) {
            self.sort(account, side, &mut positions);
            for (set, positions) in self.sets.iter().zip(&positions) {
                if !positions.is_empty() {
                    sets.insert(side.scope(&set.name), self.set(set, side, positions)?);
                }
            }
        }
        let mut details = json!({
            "calibration": self.calibration,
            "revaluation": "linear contracts by their price; options repriced in full in every scenario: by the \
                            closed formula, by a tree for American exercise and cash dividends, by Bachelier's where \
                            option_models says normal",
            "allocation": "each position's loss in the scenarios of the tail, with their weights: for a VaR, in its \
                           one or two scenarios",
            "netting_sets": sets,
        });
        let stages = charges::explained(&self.charges, account, &self.worth);
        if !stages.is_empty() {
            details["stages"] = Value::Object(stages);
        }
        Ok(details)
    }

    fn set(&self, set: &SetBook, side: Side, positions: &SetPositions) -> Result<Value> {
        let mut components = Map::new();
        for component in &set.components {
            components.insert(
                component.name.clone(),
                self.component(set, component, positions)?,
            );
        }
        let mut out = json!({"scope": side.scope(&set.scope), "components": components});
        if let Some(share) = self.offset_share {
            let alone = self.alone(set, positions, &mut RiskScratch::default())?;
            let products: Map<String, Value> = alone
                .into_iter()
                .map(|(product, margin)| (set.products.names[product].clone(), margin.into()))
                .collect();
            out["offset_cap"] = json!({"share": share, "alone": products});
        }
        Ok(out)
    }

    fn component(
        &self,
        set: &SetBook,
        component: &ComponentBook,
        positions: &SetPositions,
    ) -> Result<Value> {
        let mut out = json!({
            "measure": component.measure,
            "confidence": f64::from(component.confidence_ppm) / 1e6,
            "weight": component.weight,
        });
        if let Some(given) = component.given {
            out["risk"] = given.into();
            out["given"] = true.into();
            return Ok(out);
        }
        let mut scratch = RiskScratch::default();
        let mut risks = Vec::new();
        let mut parts = Vec::new();
        let mut first = 0;
        for part in &component.parts {
            let labels = &component.labels[first..first + part.table.scenarios];
            parts.push(self.part(set, part, labels, positions, &mut scratch)?);
            risks.push((
                parts[parts.len() - 1]["risk"].as_f64().unwrap_or_default(),
                0,
            ));
            first += part.table.scenarios;
        }
        let padded: Vec<(f64, u32)> = std::iter::repeat_n((0.0, 0), component.first_part)
            .chain(risks)
            .collect();
        out["risk"] = component.risk(&padded).into();
        out["scenarios"] = first.into();
        match parts.len() {
            1 => {
                let Some(Value::Object(only)) = parts.pop() else {
                    unreachable!("made just above")
                };
                for (key, value) in only
                    .into_iter()
                    .filter(|(key, _)| key != "risk" && key != "scenarios")
                {
                    out[key] = value;
                }
            }
            _ => out["sets"] = Value::Array(parts),
        }
        Ok(out)
    }

    /// One set of scenarios: its risk, the worst of its losses, and the risk by contract.
    fn part(
        &self,
        set: &SetBook,
        part: &Part,
        labels: &[String],
        positions: &SetPositions,
        scratch: &mut RiskScratch,
    ) -> Result<Value> {
        let risk = part.risk(positions.held(), scratch)?;
        let contributions = part.contributions(scratch);
        let (loss, scenario, losses) = self.listed(part, positions, scratch);
        let worst: Vec<Value> = loss
            .iter()
            .zip(&scenario)
            .map(|(loss, &s)| {
                let mut row = json!({"scenario": s + 1, "date": labels[s as usize], "loss": loss});
                if let Some(weight) = part.age_weight(s) {
                    row["age_weight"] = weight.into();
                }
                row
            })
            .collect();
        let mut out = json!({
            "risk": risk,
            "scenarios": part.table.scenarios,
            "worst": worst,
            "tail": contributions
                .iter()
                .take(part.depth)
                .map(|&(s, weight)| json!({
                    "scenario": s + 1,
                    "date": labels[s as usize],
                    "loss": losses[s as usize],
                    "weight": weight,
                }))
                .collect::<Vec<_>>(),
        });
        if let Some(deviation) = part.deviation(&losses) {
            out["deviation"] = deviation.into();
        }
        if part.is_additive() {
            let held = positions.held();
            let amounts: Vec<f64> = held
                .row
                .iter()
                .zip(held.lots)
                .map(|(&row, &lots)| {
                    contributions.iter().fold(0.0, |sum, &(s, w)| {
                        sum + w * (lots * part.table.get(row as usize, s as usize))
                    })
                })
                .collect();
            // Their sum, in order, is a few roundings from the risk: the difference is exact (Sterbenz).
            let residual = risk - amounts.iter().fold(0.0, |sum, amount| sum + amount);
            let by_contract: Map<String, Value> = held
                .row
                .iter()
                .zip(amounts)
                .map(|(&row, amount)| {
                    let contract = set.contracts[row as usize];
                    (
                        self.frame.contracts.rows()[contract as usize]
                            .id()
                            .to_string(),
                        amount.into(),
                    )
                })
                .collect();
            out["allocation"] = Value::Object(by_contract);
            out["allocation_residual"] = residual.into();
        }
        Ok(out)
    }

    /// The worst losses and their scenarios, and all losses.
    fn listed(
        &self,
        part: &Part,
        positions: &SetPositions,
        scratch: &mut RiskScratch,
    ) -> (Vec<f64>, Vec<u32>, Vec<f64>) {
        let losses = match part.is_running() {
            true => {
                let mut losses = Vec::new();
                super::tail::losses(&part.table, positions.held(), self.unit, &mut losses);
                losses
            }
            // Already there, and rescaled where the component does.
            false => std::mem::take(&mut scratch.losses),
        };
        let depth = LISTED.max(part.depth).min(losses.len());
        let (mut loss, mut scenario) = (vec![0.0; depth], vec![0; depth]);
        Tail {
            loss: &mut loss,
            scenario: &mut scenario,
        }
        .select(&losses, &mut Vec::new());
        (loss, scenario, losses)
    }
}
