//! An account of Derive's portfolio managers: its sums, collateral and oracles brought to the manager's aggregation.

use super::book::Book;
use super::charges::Sums;
use super::pmrm::{self, ExpiryTerms, Holding, PmrmRisk};
use super::sums::BookScratch;
use engine::account::AccountView;
use kernel::error::Result;
use kernel::fail;
use kernel::float::{larger, smaller};

impl Book {
    /// The numbers of one underlying under Derive's managers; every scenario goes to `scratch.pnl`.
    pub(super) fn pmrm_risk(
        &self,
        u: usize,
        account: AccountView<'_>,
        scratch: &mut BookScratch,
    ) -> Result<(PmrmRisk, Holding)> {
        let unit = &self.units[u];
        let Some(rules) = &self.parameters.pmrm else {
            fail!(InvalidInput: NotStated; "{}: no pmrm rules", self.parameters.venue);
        };
        let mut holding = self.collateral(u, account, rules)?;
        holding.perps = scratch.sums[u].perps;
        let nets =
            &scratch.strikes[unit.first_strike..unit.first_strike + unit.layout.strikes.len()];
        holding.naked_shorts = nets.iter().map(|&q| larger(-q, 0.0)).sum();
        let lanes = &scratch.lanes[unit.first_lane..][..unit.lanes.len()];
        scratch.expiries.clear();
        for (group, lane) in lanes.iter().enumerate().skip(1) {
            let at = unit.first_expiry + group;
            scratch.expiries.push(if lane.is_empty() {
                (ExpiryTerms::EMPTY, 0.0, 0.0)
            } else {
                (unit.terms[group], scratch.marks[at], scratch.gross[at])
            });
        }
        scratch.pnl.clear();
        let pnl = &mut scratch.pnl;
        let risk = pmrm::aggregate(
            rules,
            &self.parameters.feeds,
            &unit.layout.key.underlying,
            unit.index,
            &unit.plan.scenarios,
            &scratch.expiries,
            &holding,
            |group, s| lanes[group + 1].cells[s],
            |s| lanes[0].cells[s],
            |_, value| pnl.push(value),
        );
        Ok((risk, holding))
    }

    fn collateral(
        &self,
        u: usize,
        account: AccountView<'_>,
        rules: &pmrm::PmrmRules,
    ) -> Result<Holding> {
        let feeds = &self.parameters.feeds;
        let unit = &self.units[u];
        let own = pmrm::account_confidence(feeds, &unit.layout.key.underlying, false);
        let mut holding = Holding::default();
        for (asset, &amount) in &account.terms.collateral {
            let Some(feed) = feeds.collateral.get(asset) else {
                fail!(
                    MissingData,
                    "no terms for collateral '{asset}': add it to feeds.collateral"
                );
            };
            let Some(price) = self
                .collateral_price
                .iter()
                .find(|p| &p.0 == asset)
                .map(|p| p.1)
            else {
                fail!(
                    MissingData: MissingSpot;
                    "no price of collateral '{asset}': add it to market.spot"
                );
            };
            let value = amount * price / feeds.stable;
            let charged = if rules.factor_on_contingency {
                amount * price
            } else {
                value
            };
            holding.collateral += value;
            holding.cancelling += if feed.risk_cancelling { value } else { 0.0 };
            holding.collateral_mm += charged * feed.mm_haircut;
            holding.collateral_im += charged * feed.im_haircut;
            let confidence = smaller(feed.confidence, own);
            holding.collateral_distrust += rules.distrust(confidence, charged);
        }
        Ok(holding)
    }

    /// The unit a manager's account is in: the one it holds, or the only one there is.
    pub(super) fn pmrm_unit(&self, account: AccountView<'_>, sums: &[Sums]) -> Result<usize> {
        let mut held = (0..self.units.len()).filter(|&u| sums[u].held);
        match (held.next(), held.next()) {
            (Some(u), None) => Ok(u),
            (None, _) if self.units.len() == 1 => Ok(0),
            (None, _) if account.terms.collateral.is_empty() && !self.units.is_empty() => Ok(0),
            _ => fail!(
                NotApplicable,
                "{}: an account holds one underlying, and this one holds {}",
                self.parameters.venue,
                (0..self.units.len())
                    .filter(|&u| sums[u].held)
                    .map(|u| self.units[u].layout.key.underlying.clone())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        }
    }
}
