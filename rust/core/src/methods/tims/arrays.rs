//! Which prices TIMS needs: ten points per class group's range, and the points of house overlays.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::inputs::{Curves, Instrument, Placement, closed_form, placements};
use super::parameters::{Overlay, Parameters, StressPoint, VolMove, VolRule};
use crate::cells::{Block, Cells, EuropeanCells, LinearCell, Scenarios, TreeCell, VolMoves};
use crate::contract::Contracts;

/// The scope of the blocks that hold the rule's own ten points.
pub(super) const SCAN: &str = "scan";

/// The points of one class group under one heading: the rule itself, or an overlay.
pub(super) fn scan_points(parameters: &Parameters, class_group: &str) -> Vec<StressPoint> {
    let moves = parameters.range(class_group).points(parameters.grid);
    moves.into_iter().map(without_vol).collect()
}

fn without_vol(price: f64) -> StressPoint {
    StressPoint {
        price,
        vol: 0.0,
        vol_move: VolMove::Absolute,
    }
}

pub(super) fn overlay_points(
    parameters: &Parameters,
    overlay: &Overlay,
    class_group: &str,
) -> Vec<StressPoint> {
    let mut points = overlay.points.clone();
    if let Some(range) = overlay.ranges.get(class_group).or(overlay.range.as_ref()) {
        points.extend(range.points(parameters.grid).into_iter().map(without_vol));
    }
    points
}

pub(super) fn cells(
    parameters: &Parameters,
    contracts: &Contracts,
    instruments: Vec<Instrument>,
) -> Cells {
    let placements = placements(parameters, contracts);
    let curves = match parameters.vol {
        VolRule::StickyStrike => None,
        VolRule::StickyMoneyness => Some(Curves::new(contracts, &instruments)),
    };
    let mut builder = Builder {
        contracts,
        curves,
        placements: &placements,
        instruments: &instruments,
        cells: Cells::default(),
    };
    builder.add(SCAN, |class_group| scan_points(parameters, class_group));
    for overlay in &parameters.overlays {
        builder.add(&overlay.name, |class_group| {
            overlay_points(parameters, overlay, class_group)
        });
    }
    builder.cells
}

/// Points, and the rows of the table that share them.
type Shared = (Vec<StressPoint>, Vec<usize>);

struct Builder<'a> {
    contracts: &'a Contracts,
    curves: Option<Curves>,
    placements: &'a [Placement],
    instruments: &'a [Instrument],
    cells: Cells,
}

impl Builder<'_> {
    /// One block for every distinct list of points, so that most rows of a table are priced in one call.
    fn add(&mut self, scope: &str, points_of: impl Fn(&str) -> Vec<StressPoint>) {
        let mut points_by_product: BTreeMap<(&str, u64), Shared> = BTreeMap::new();
        for (row, placement) in self.placements.iter().enumerate() {
            if matches!(self.instruments[row], Instrument::Given) {
                continue;
            }
            let product = (placement.class_group.as_str(), placement.factor.to_bits());
            let (_, rows) = points_by_product.entry(product).or_insert_with(|| {
                let mut points = points_of(&placement.class_group);
                for point in &mut points {
                    point.price *= placement.factor;
                }
                (points, Vec::new())
            });
            rows.push(row);
        }
        let mut groups: BTreeMap<Vec<u64>, Shared> = BTreeMap::new();
        for (points, rows) in points_by_product.into_values() {
            if points.is_empty() {
                continue;
            }
            let bits = |p: &StressPoint| [p.price.to_bits(), p.vol.to_bits(), p.vol_move as u64];
            let key = points.iter().flat_map(bits).collect();
            groups
                .entry(key)
                .or_insert_with(|| (points, Vec::new()))
                .1
                .extend(rows);
        }
        for (_, rows) in groups.values_mut() {
            rows.sort_unstable();
        }
        for (points, rows) in groups.into_values() {
            self.block(scope, &points, &rows);
        }
    }

    fn block(&mut self, scope: &str, points: &[StressPoint], rows: &[usize]) {
        let mut block = Block {
            scope: scope.to_string(),
            scenarios: Scenarios {
                labels: points.iter().map(label).collect::<Vec<_>>().into(),
                price: points.iter().map(|p| p.price).collect(),
                vol: VolMoves::Shared(points.iter().map(|p| p.vol).collect()),
                roll: 0.0,
            },
            linear: Vec::new(),
            european: EuropeanCells::default(),
            trees: Vec::new(),
        };
        for &row in rows {
            match &self.instruments[row] {
                Instrument::Linear { price } => block.linear.push(LinearCell {
                    contract: row as u32,
                    price: *price,
                    scale: self.contracts.rows()[row].value_per_lot(),
                }),
                Instrument::Option(option) if closed_form(&option.cell) => {
                    block.european.push(&option.cell)
                }
                Instrument::Option(option) => block.trees.push(option.cell.clone()),
                Instrument::Given => {}
            }
        }
        let relative = points.iter().any(|p| p.vol_move == VolMove::Relative);
        if relative || self.curves.is_some() {
            block.scenarios.vol = VolMoves::PerOption(self.vol_table(points, rows));
        }
        self.cells.blocks.push(block);
    }

    fn vol_table(&self, points: &[StressPoint], rows: &[usize]) -> Vec<f64> {
        let options = |closed: bool| {
            rows.iter()
                .filter_map(move |&row| match &self.instruments[row] {
                    Instrument::Option(option) if closed_form(&option.cell) == closed => {
                        Some(&option.cell)
                    }
                    _ => None,
                })
        };
        let table_row = |cell: &TreeCell| {
            let vol_move = |point: &StressPoint| {
                let curve = self
                    .curves
                    .as_ref()
                    .map_or(0.0, |c| c.vol_move(self.contracts, cell, point.price));
                curve
                    + match point.vol_move {
                        VolMove::Absolute => point.vol,
                        VolMove::Relative => point.vol * cell.vol,
                    }
            };
            points.iter().map(vol_move).collect::<Vec<f64>>()
        };
        options(true)
            .chain(options(false))
            .flat_map(table_row)
            .collect()
    }
}

/// A point as people write it: `-8 %`, `-15 %, vol +10 points`.
pub(super) fn label(point: &StressPoint) -> String {
    let percent = |x: f64| format!("{:+}", (x * 1e6).round() / 1e4);
    match (point.vol == 0.0, point.vol_move) {
        (true, _) => format!("{} %", percent(point.price)),
        (false, VolMove::Absolute) => format!(
            "{} %, vol {} points",
            percent(point.price),
            percent(point.vol)
        ),
        (false, VolMove::Relative) => {
            format!("{} %, vol {} %", percent(point.price), percent(point.vol))
        }
    }
}

/// The labels of a list of points.
pub(super) fn labels(points: &[StressPoint]) -> Arc<[String]> {
    points.iter().map(label).collect::<Vec<_>>().into()
}
