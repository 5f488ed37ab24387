//! Intermediate results under the venue's own names, unit by unit.

use serde_json::{Map, Value, json};

use super::book::{Book, UnitBook, UnitRisk};
use super::parameters::{Charges, Model, SpotTreatment};
use super::pmrm::PmrmRisk;
use super::scenario::Group;
use super::sums::BookScratch;
use engine::account::AccountView;
use kernel::error::Result;
use kernel::float::{larger, smaller};

pub(super) fn of(book: &Book, account: AccountView<'_>) -> Result<Value> {
    let mut scratch = BookScratch::default();
    book.collect(account, None, &mut scratch);
    let parameters = &book.parameters;
    let mut out = Map::new();
    out.insert("spot_treatment".into(), json!(parameters.spot));
    out.insert("grades".into(), json!(parameters.grades));
    let mut units = Map::new();
    let managed = match parameters.model {
        Model::Pmrm => Some(book.pmrm_unit(account, &scratch.sums)?),
        Model::Scenario | Model::Standard | Model::Srm => None,
    };
    for (u, unit) in book.units.iter().enumerate() {
        if managed == Some(u) {
            units.insert(unit.label(), pmrm(book, u, account, &mut scratch)?);
        } else if managed.is_none() && scratch.sums[u].held {
            units.insert(unit.label(), scan(book, u, &mut scratch)?);
        }
    }
    out.insert("units".into(), Value::Object(units));
    if parameters.borrow.is_some() {
        out.insert("borrowed".into(), json!(book.borrowed(account)));
    }
    if parameters.spot == SpotTreatment::CollateralOnly || !account.terms.collateral.is_empty() {
        out.insert("collateral".into(), collateral(book, account));
    }
    Ok(Value::Object(out))
}

/// One row per scenario: `pnl` is what aggregates, `sum` the positions' own before offsets and dampening.
fn scenarios(unit: &UnitBook, pnl: &[f64], raw: &[f64]) -> Value {
    let row = |(s, (&pnl, &raw)): (usize, (&f64, &f64))| {
        let scenario = &unit.plan.scenarios[s];
        json!({"label": unit.plan.labels[s], "move": scenario.price, "vol": scenario.vol, "pnl": pnl, "sum": raw})
    };
    pnl.iter().zip(raw).enumerate().map(row).collect()
}

fn scan(book: &Book, u: usize, scratch: &mut BookScratch) -> Result<Value> {
    let risk = book.unit_risk(u, scratch)?;
    let unit = &book.units[u];
    let sums = &scratch.sums[u];
    let rules = &unit.plan.rules;
    let parameters = &book.parameters;
    let mut out = Map::new();
    let mut put = |name: &str, value: f64| {
        out.insert(parameters.name(name).to_string(), json!(value));
    };
    put("worst_case", risk.scan);
    for (group, name) in [(Group::Grid, "grid_loss"), (Group::Extreme, "extreme_loss")] {
        let worst = unit
            .plan
            .scenarios
            .iter()
            .zip(&scratch.pnl)
            .filter(|(s, _)| s.group == group)
            .fold(0.0, |worst, (_, &pnl)| smaller(pnl, worst));
        put(name, -worst);
    }
    // Named one by one: a charge that is forgotten here does not compile.
    let UnitRisk {
        worst,
        scan: _,
        min_delta,
        decay,
        roll,
        delta_shock,
        short_options,
        futures,
        // Name by name below.
        stated: _,
        slippage,
    } = risk;
    put("min_delta", min_delta);
    put("decay", decay);
    put("roll_shock", roll);
    put("delta_shock", delta_shock);
    put("option_contingency", short_options);
    put("future_contingency", futures);
    put("slippage", slippage);
    // Named one by one: a charge that is forgotten here does not compile.
    let Charges {
        // Numbers of the risk above.
        roll: _,
        delta_shock: _,
        min_delta: _,
        decay_days: _,
        short_options: _,
        futures: _,
        perpetual_slippage: _,
        stated,
        initial_only,
        provisions,
    } = &rules.charges;
    for (name, amount) in stated {
        put(name, *amount);
    }
    let total = larger(slippage, risk.total());
    put("risk_matrix_margin", total);
    let provisions: f64 = provisions.values().fold(0.0, |sum, x| sum + x);
    let orders: f64 = initial_only.values().fold(0.0, |sum, x| sum + x);
    put(
        "initial_margin",
        rules.im_factor * total + orders + provisions,
    );
    put("maintenance_margin", rules.mm_factor * total + provisions);
    put("options_value", sums.option_value);
    put("spot_value", sums.spot_value);
    if parameters.spot == SpotTreatment::InUse {
        put("spot_in_use", sums.spot_in_use());
    }
    put("delta_total", sums.long_option_delta + sums.other_delta);
    put("index_price", unit.index);
    out.insert("worst_scenario".into(), json!(unit.plan.labels[worst]));
    out.insert(
        "scenarios".into(),
        scenarios(unit, &scratch.pnl, &scratch.raw),
    );
    Ok(Value::Object(out))
}

/// Derive's numbers: margins are net, mark value less requirement, cash included.
fn pmrm(
    book: &Book,
    u: usize,
    account: AccountView<'_>,
    scratch: &mut BookScratch,
) -> Result<Value> {
    let (risk, holding) = book.pmrm_risk(u, account, scratch)?;
    // Named one by one: a number that is forgotten here does not compile.
    let PmrmRisk {
        worst,
        // One of the scenarios' below.
        worst_pnl: _,
        forward_contingency,
        min_span,
        option_mtm,
        contingency_mm,
        contingency_im,
        confidence,
        im_factor,
        mm_factor,
    } = risk;
    let unit = &book.units[u];
    let joint = book
        .parameters
        .pmrm
        .as_ref()
        .is_some_and(|p| p.factor_on_contingency);
    let cash: f64 = account.terms.cash.values().fold(0.0, |sum, x| sum + x);
    let mtm = option_mtm + holding.collateral + cash;
    let factors = if joint {
        (im_factor, mm_factor)
    } else {
        (1.0, 1.0)
    };
    let initial =
        min_span * im_factor - contingency_mm * factors.0 - contingency_im - confidence + mtm;
    let maintenance = min_span * mm_factor - contingency_mm * factors.1 + mtm;
    let shocks: Vec<(f64, f64)> = unit.expiries[1..]
        .iter()
        .map(|e| unit.plan.rules.vol.at(e.days).multipliers())
        .collect();
    Ok(json!({
        "initial_margin": initial,
        "maintenance_margin": maintenance,
        "mark_to_market": mtm,
        "option_mtm": option_mtm,
        "collateral_mtm": holding.collateral,
        "min_span": min_span,
        "forward_contingency": forward_contingency,
        "maintenance_contingency": contingency_mm,
        "initial_contingency": contingency_im,
        "confidence_contingency": confidence,
        "initial_factor": im_factor,
        "worst_scenario": unit.plan.labels[worst],
        "vol_up": shocks.iter().map(|s| s.0).collect::<Vec<_>>(),
        "vol_down": shocks.iter().map(|s| s.1).collect::<Vec<_>>(),
        "scenarios": scenarios(unit, &scratch.pnl, &scratch.pnl),
    }))
}

/// Posted assets at their haircuts, in dollars: what they are worth as cover, not part of the requirement.
fn collateral(book: &Book, account: AccountView<'_>) -> Value {
    let mut out = Map::new();
    for (asset, &amount) in &account.terms.collateral {
        let price = book
            .collateral_price
            .iter()
            .find(|p| &p.0 == asset)
            .map(|p| p.1);
        let haircut = book.parameters.haircuts.get(asset).copied();
        let covered = price
            .zip(haircut)
            .map(|(price, haircut)| amount * price * (1.0 - haircut));
        out.insert(
            asset.clone(),
            json!({"amount": amount, "price": price, "haircut": haircut, "value": covered}),
        );
    }
    Value::Object(out)
}
