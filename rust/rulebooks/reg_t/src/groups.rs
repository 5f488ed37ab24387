//! What margins together in an answer: groups of positions, added up as they are written.

use super::program::{Column, Kind, Program};
use super::question::Total;
use super::rules::Amounts;

/// One group of positions margined together, signed contracts (shares) by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub kind: Option<Kind>,
    pub legs: Vec<Leg>,
    pub amounts: Amounts,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    pub row: u32,
    pub stock: bool,
    pub quantity: f64,
}

/// Takes a column's parts out of what is left.
pub(super) fn take(program: &Program, column: &Column, times: f64, left: &mut [f64]) {
    for &(item, amount) in column.parts() {
        left[item as usize] -= amount * times;
        debug_assert!(left[item as usize] > -1e-6 * (1.0 + program.items[item as usize].count));
    }
}

/// Adds a column that is used so many times, and names its legs where groups are asked for.
pub(super) fn report(
    program: &Program,
    column: &Column,
    times: f64,
    total: &mut Total,
    groups: Option<&mut Vec<Group>>,
) {
    total.amounts.add(&column.amounts, times);
    if let Some(groups) = groups {
        let legs = column.parts().iter().map(|&(i, amount)| {
            let item = &program.items[i as usize];
            let quantity = if item.long {
                amount * times
            } else {
                -amount * times
            };
            Leg {
                row: item.row as u32,
                stock: item.stock,
                quantity,
            }
        });
        let mut amounts = Amounts::default();
        amounts.add(&column.amounts, times);
        groups.push(Group {
            kind: Some(column.kind),
            legs: legs.collect(),
            amounts,
        });
    }
}

/// Adds one position on its own.
pub(super) fn single(
    program: &Program,
    i: usize,
    count: f64,
    total: &mut Total,
    groups: Option<&mut Vec<Group>>,
) {
    let item = &program.items[i];
    total.amounts.add(&item.alone, count);
    if let Some(groups) = groups {
        let mut amounts = Amounts::default();
        amounts.add(&item.alone, count);
        let quantity = if item.long { count } else { -count };
        let leg = Leg {
            row: item.row as u32,
            stock: item.stock,
            quantity,
        };
        groups.push(Group {
            kind: None,
            legs: vec![leg],
            amounts,
        });
    }
}

/// Adds whatever is left, each position on its own.
pub(super) fn alone(
    program: &Program,
    left: &[f64],
    total: &mut Total,
    mut groups: Option<&mut Vec<Group>>,
) {
    for (i, &count) in left.iter().enumerate() {
        if count > 1e-9 {
            total.forbidden += if program.items[i].forbidden {
                count
            } else {
                0.0
            };
            single(program, i, count, total, groups.as_deref_mut());
        }
    }
}
