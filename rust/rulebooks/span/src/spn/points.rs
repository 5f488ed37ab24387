//! Scan points and the points of the composite delta: `pointDef`.

use super::reader::Spn;
use super::xml::Child;
use crate::model::*;
use kernel::error::Result;

impl Spn<'_> {
    fn multiple(&mut self) -> Result<f64> {
        let mut value = f64::NAN;
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"mult", v) => value = self.number(v, "mult")?,
                Child::Leaf(b"numerator" | b"denominator" | b"defType", _) => {}
                other => self.other(other, "scanDef")?,
            }
        }
        if value.is_nan() {
            self.xml.fail("no mult")
        } else {
            Ok(value)
        }
    }

    pub(super) fn point_def(&mut self) -> Result<()> {
        let (mut class, mut points, mut deltas) = (String::new(), Vec::new(), Vec::new());
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"r", v) => class = self.text(v, "r")?,
                Child::Node(kind @ (b"scanPointDef" | b"deltaPointDef")) => {
                    let (mut number, mut price, mut vol, mut weight, mut paired) =
                        (0, f64::NAN, 0.0, f64::NAN, None);
                    while let Some(child) = self.xml.child()? {
                        match child {
                            Child::Leaf(b"point", v) => number = self.whole(v, "point")?,
                            Child::Leaf(b"weight", v) => weight = self.number(v, "weight")?,
                            Child::Leaf(b"pairedPoint", v) => {
                                paired = Some(self.whole(v, "pairedPoint")?)
                            }
                            Child::Node(b"priceScanDef") => price = self.multiple()?,
                            Child::Node(b"volScanDef") => vol = self.multiple()?,
                            other => self.other(other, "scanPointDef")?,
                        }
                    }
                    if price.is_nan() || weight.is_nan() {
                        return self.xml.fail("a scan point without price move or weight");
                    }
                    if kind == b"deltaPointDef" {
                        deltas.push(DeltaPoint { price, weight });
                    } else {
                        if number != points.len() as i64 + 1 {
                            return self
                                .xml
                                .fail(&format!("scan point {number} is out of order"));
                        }
                        let paired = paired.unwrap_or(number);
                        if !(1..=1024).contains(&paired) {
                            return self.xml.fail(&format!(
                                "scan point {number} is paired with point {paired}"
                            ));
                        }
                        points.push(ScanPoint {
                            price,
                            vol,
                            weight,
                            paired: paired as usize - 1,
                        });
                    }
                }
                other => self.other(other, "pointDef")?,
            }
        }
        if points.len() > 1024 || points.iter().any(|p| p.paired >= points.len()) {
            return self.xml.fail(
                "a list of scan points that is too long or pairs with a point it does not have",
            );
        }
        self.point_lists.push((self.xml.offset(), points.clone()));
        if self.file.points.is_empty() || class == "1" && self.file.series.is_empty() {
            self.file.points = points;
            if !deltas.is_empty() {
                self.file.delta_points = deltas;
            }
        }
        Ok(())
    }
}
