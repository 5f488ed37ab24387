//! Which prices TIMS needs: ten points per class group's range, and the points of house overlays.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::curves::Curves;
use super::parameters::{Overlay, Parameters, StressPoint, VolMove, VolRule};
use super::placement::Placements;
use engine::cells::{Block, Cells, LinearCell, Scenarios, VolMoves};
use engine::contract::Contracts;
use engine::inputs::{Inputs, Instrument};

/// The scope of the blocks that hold the rule's own ten points.
pub(super) const SCAN: &str = "scan";

/// The points of one class group under one heading: the rule itself, or an overlay.
pub(super) fn scan_points(
    parameters: &Parameters,
    placements: &Placements,
    class_group: &str,
) -> Vec<StressPoint> {
    let range = placements.range(parameters, class_group);
    let moves = range.points(parameters.grid);
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
    placements: &Placements,
    inputs: &Inputs,
) -> Cells {
    let curves = match parameters.vol {
        VolRule::StickyStrike => None,
        VolRule::StickyMoneyness => Some(Curves::new(inputs)),
    };
    let mut builder = Builder {
        contracts,
        curves,
        placements,
        inputs,
        cells: Cells {
            notes: inputs.notes.clone(),
            ..Cells::default()
        },
    };
    builder.add(SCAN, |class_group| {
        scan_points(parameters, placements, class_group)
    });
    for overlay in &parameters.overlays {
        builder.add(&overlay.name, |class_group| {
            overlay_points(parameters, overlay, class_group)
        });
    }
    builder.cells
}

struct Builder<'a> {
    contracts: &'a Contracts,
    curves: Option<Curves>,
    placements: &'a Placements,
    inputs: &'a Inputs,
    cells: Cells,
}

/// The rows of a block: linear ones with their price, options by their number.
#[derive(Default)]
struct Rows {
    linear: Vec<(u32, f64)>,
    options: Vec<u32>,
}

impl Builder<'_> {
    /// One block for every distinct list of points, so that most rows of a table are priced in one call.
    fn add(&mut self, scope: &str, points_of: impl Fn(&str) -> Vec<StressPoint>) {
        let mut blocks: BTreeMap<Vec<u64>, usize> = BTreeMap::new();
        let mut rows: Vec<(Vec<StressPoint>, Rows)> = Vec::new();
        // Of each product, its block; none where there is nothing to price.
        let of_product: Vec<Option<usize>> = self
            .placements
            .products
            .iter()
            .map(|placed| {
                let mut points = points_of(&placed.class_group);
                if points.is_empty() {
                    return None;
                }
                for point in &mut points {
                    point.price *= placed.factor;
                }
                let bits =
                    |p: &StressPoint| [p.price.to_bits(), p.vol.to_bits(), p.vol_move as u64];
                let key: Vec<u64> = points.iter().flat_map(bits).collect();
                Some(*blocks.entry(key).or_insert_with(|| {
                    rows.push((points, Rows::default()));
                    rows.len() - 1
                }))
            })
            .collect();
        for (row, instrument) in self.inputs.instruments.iter().enumerate() {
            let row = row as u32;
            let Some(block) = of_product[self.placements.product(row)] else {
                continue;
            };
            let own = &mut rows[block].1;
            match *instrument {
                Instrument::Linear(price) => own.linear.push((row, price)),
                Instrument::Option(option) => own.options.push(option),
                Instrument::Given => {}
            }
        }
        for block in blocks.into_values() {
            let (points, own) = std::mem::take(&mut rows[block]);
            self.block(scope, &points, own);
        }
    }

    fn block(&mut self, scope: &str, points: &[StressPoint], rows: Rows) {
        let mut block = Block {
            scope: scope.to_string(),
            scenarios: Scenarios {
                labels: labels(points),
                price: points.iter().map(|p| p.price).collect(),
                vol: VolMoves::Shared(points.iter().map(|p| p.vol).collect()),
                roll: 0.0,
            },
            ..Block::default()
        };
        let scale = |row: u32| self.contracts.rows()[row as usize].value_per_lot();
        block.linear = rows
            .linear
            .iter()
            .map(|&(contract, price)| LinearCell {
                contract,
                price,
                scale: scale(contract),
            })
            .collect();
        let options = self.inputs.fill(rows.options, &mut block);
        let relative = points.iter().any(|p| p.vol_move == VolMove::Relative);
        if relative || self.curves.is_some() {
            let table = options
                .iter()
                .flat_map(|&option| self.vol_moves(points, option as usize));
            block.scenarios.vol = VolMoves::PerOption(table.collect());
        }
        self.cells.blocks.push(block);
    }

    /// The moves of one option's volatility.
    fn vol_moves<'a>(
        &'a self,
        points: &'a [StressPoint],
        option: usize,
    ) -> impl Iterator<Item = f64> + 'a {
        let (strike, vol) = (
            self.inputs.options.strike[option],
            self.inputs.options.vol[option],
        );
        points.iter().map(move |point| {
            let curve = self.curves.as_ref().map_or(0.0, |c| {
                c.vol_move(self.inputs.term[option], strike, point.price)
            });
            curve
                + match point.vol_move {
                    VolMove::Absolute => point.vol,
                    VolMove::Relative => point.vol * vol,
                }
        })
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
