//! A contract of the table as a parameter file would have it: its commodity, its family and series, its row.

use super::arrays::Made;
use super::parameters::{LikeParameters, Underlying};
use crate::generate::ArrayInputs;
use crate::model::*;
use engine::contract::{Contract, ContractIndex, Contracts, Kind, Premium, Settlement};
use engine::market::{Market, Most};
use kernel::error::Result;
use kernel::fail;

impl LikeParameters {
    /// A contract's scan ranges.
    pub(super) fn covered(&self, contracts: &Contracts, row: ContractIndex) -> Result<&Underlying> {
        let contract = &contracts.rows()[row as usize];
        let symbol = contracts.root_symbol(row);
        let Some(ranges) = self.underlyings.get(symbol) else {
            fail!(
                MissingData,
                "span-like has no scan ranges for '{symbol}': give underlyings[\"{symbol}\"]"
            );
        };
        if contract.terms().settlement == Settlement::Inverse || contract.counts_money() {
            fail!(
                NotApplicable,
                "span-like covers neither inverse contracts nor multipliers that count money"
            );
        }
        Ok(ranges)
    }

    fn commodity(
        &self,
        file: &mut SpanFile,
        symbol: &str,
        currency: &str,
        ranges: &Underlying,
    ) -> Result<u32> {
        // A table's rows are by underlying as a rule.
        let last = file.commodities.last().filter(|cc| cc.code == symbol);
        let known = match last {
            Some(_) => Some(file.commodities.len() as u32 - 1),
            None => file.commodity(symbol),
        };
        if let Some(index) = known {
            if file.commodities[index as usize].currency != currency {
                fail!(Unsupported, "{symbol} is held in two currencies");
            }
            return Ok(index);
        }
        let leg = |side: i8| Leg::plain(symbol.into(), 0, 1.0, side);
        let calendar = Spread::plain(
            1,
            ChargeMethod::Flat,
            ranges.calendar_charge,
            vec![leg(1), leg(-1)],
        );
        file.commodities.push(Commodity {
            code: symbol.into(),
            currency: currency.into(),
            som_tiers: vec![Tier {
                number: 0,
                start: String::new(),
                end: String::new(),
                rate: Some(ranges.short_option_minimum),
            }],
            spreads: if ranges.calendar_charge > 0.0 {
                vec![calendar]
            } else {
                Vec::new()
            },
            ..Commodity::default()
        });
        Ok(file.commodities.len() as u32 - 1)
    }

    /// Refuses a contract whose array cannot be made from what the market says.
    pub(super) fn check_inputs(
        &self,
        contract: &Contract,
        inputs: &ArrayInputs,
        mark: Option<f64>,
        market: &Market,
    ) -> Result<()> {
        if inputs.underlying <= 0.0 {
            fail!(
                InvalidInput: NotStated;
                "the price it is scanned at is {}: a scan range that is a fraction of the price needs a positive one",
                inputs.underlying
            );
        }
        if let Some(mark) = mark.filter(|_| contract.kind() == Kind::Option) {
            let most = Most {
                underlying: inputs.underlying,
                carry: (-inputs.dividend_yield * inputs.years).exp(),
                strike: inputs.strike,
                discount: (-inputs.rate * inputs.years).exp(),
            };
            market.check_option_mark(contract, mark, &most)?;
        }
        Ok(())
    }

    /// Adds a contract with a family and a series of its own.
    pub(super) fn contract(
        &self,
        file: &mut SpanFile,
        contracts: &Contracts,
        row: ContractIndex,
        inputs: &ArrayInputs,
        mark: Option<f64>,
        made: &Made,
    ) -> Result<()> {
        let contract = &contracts.rows()[row as usize];
        let symbol = contracts.root_symbol(row);
        let ranges = self.covered(contracts, row)?;
        let commodity = self.commodity(file, symbol, contract.currency(), ranges)?;
        let lot = contract.value_per_lot();
        let value = match contract.kind() {
            Kind::Option => mark.unwrap_or(made.value) * lot,
            _ => f64::NAN,
        };
        file.families.push(family(contract, commodity));
        let family = file.families.len() as u32 - 1;
        let own = series(contracts, row, family, file.contracts.len() as u32, inputs);
        file.series.push(own);
        let table = &mut file.contracts;
        table.series.push(file.series.len() as u32 - 1);
        table.right.push(inputs.right);
        table.strike.push(inputs.strike);
        table.price.push(value / lot);
        table.value.push(value);
        table.vol.push(inputs.vol);
        table.delta.push(made.delta);
        table.array.extend(made.array.iter().map(|a| a * lot));
        table.number.push(0);
        Ok(())
    }
}

fn family(contract: &Contract, commodity: u32) -> Family {
    let kind = match contract.kind() {
        Kind::Spot | Kind::Stock | Kind::Etf | Kind::Index => ContractKind::Physical,
        Kind::Future | Kind::Perpetual => ContractKind::Future,
        Kind::Option => ContractKind::OptionOnPhysical,
    };
    Family {
        exchange: String::new(),
        id: contract.id().into(),
        code: contract.id().into(),
        name: String::new(),
        kind,
        currency: contract.currency().into(),
        cvf: contract.value_per_lot(),
        cabinet: 0.0,
        exercise: String::new(),
        model: String::new(),
        value_method: if contract.terms().premium == Premium::FuturesStyle {
            "FUT".into()
        } else {
            "EQTY".into()
        },
        commodity: Some(commodity),
        scale: 1.0,
        delta_method: String::new(),
    }
}

fn series(
    contracts: &Contracts,
    row: ContractIndex,
    family: u32,
    first: u32,
    inputs: &ArrayInputs,
) -> Series {
    let lot = contracts.rows()[row as usize].value_per_lot();
    // Options on a future are priced on it and have their delta in its month.
    let future = contracts.underlying_row(row);
    let expiry_of = |r: ContractIndex| {
        contracts
            .get(r)
            .and_then(|c| c.expiry().map(|e| e.date.strftime("%Y%m%d").to_string()))
    };
    let own_period = expiry_of(row).unwrap_or_else(|| "00000000".into());
    let delta_period = future
        .and_then(expiry_of)
        .unwrap_or_else(|| own_period.clone());
    Series {
        family,
        period: own_period,
        delta_period,
        settlement_date: String::new(),
        years: Some(inputs.years),
        cvf: lot,
        svf: lot,
        // Deltas of different multipliers net in units of the underlying.
        scale: lot,
        vol: inputs.vol,
        rate: Some(inputs.rate),
        dividend_yield: inputs.dividend_yield,
        lookahead: Some(inputs.lookahead),
        scan: ScanRange {
            price: Some(inputs.price_scan * lot),
            ..ScanRange::default()
        },
        underlying: Vec::new(),
        first,
        count: 1,
    }
}
