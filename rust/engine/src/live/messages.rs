//! Messages about open orders: reserve, fill, cancel, replace.

use super::account::LiveAccount;
use super::order::Order;
use super::orders::{OpenOrder, Orders};
use super::trade::Trade;
use kernel::error::Result;
use kernel::fail;

impl LiveAccount {
    /// Counts an order's worst case from now on. Whether it is new: the same order again changes nothing.
    pub fn reserve(&mut self, order: &Order) -> Result<bool> {
        self.acceptable(order)?;
        self.orders_to_change().reserve(order)
    }

    fn acceptable(&self, order: &Order) -> Result<()> {
        self.book.known(order.contract)?;
        self.money().check_price(order)?;
        if self.book.positions().is_gross() && order.effect.is_none() {
            fail!(
                InvalidInput: NotStated;
                "order '{}': the account keeps long and short apart: say whether it opens or closes",
                order.id
            );
        }
        Ok(())
    }

    /// Books an execution of an order. Whether it is new: the same execution again changes nothing.
    pub fn fill(
        &mut self,
        order: &str,
        execution: &str,
        lots: i64,
        price: f64,
        fees: f64,
    ) -> Result<bool> {
        let Some(terms) = self.orders().fill_of(order, execution, lots, price, fees)? else {
            return Ok(false);
        };
        let signed = if terms.signed_lots() > 0 { lots } else { -lots };
        self.apply(&[Trade {
            contract: terms.contract,
            lots: signed,
            effect: terms.effect,
            price: Some(price),
            fees,
        }])?;
        self.orders_to_change()
            .record_fill(order, execution, lots, price, fees);
        Ok(true)
    }

    /// Whether anything was left to cancel.
    pub fn cancel(&mut self, order: &str) -> Result<bool> {
        self.orders_to_change().cancel(order)
    }

    /// Cancels one order and reserves another in its place.
    pub fn replace(&mut self, id: &str, order: &Order) -> Result<bool> {
        self.acceptable(order)?;
        self.orders_to_change().replace(id, order)
    }

    pub fn order(&self, id: &str) -> Option<&OpenOrder> {
        self.orders().get(id)
    }

    /// Takes over the orders of an account that was closed, its positions being those of this one. All, or none where
    /// one is not in order or known already.
    pub fn restore_orders(&mut self, orders: Vec<OpenOrder>) -> Result<()> {
        let mut restored = Orders::clone(self.orders());
        for open in orders {
            self.acceptable(&open.order)?;
            restored.restore(open)?;
        }
        *self.orders_to_change() = restored;
        Ok(())
    }
}
