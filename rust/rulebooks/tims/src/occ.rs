//! OCC's RBH/CPM parameter reports, as CSV files the user has downloaded.
//!
//! `RBHCPMIncludedProductsReport`, `RBHCPMProductGroupsReport` and `RBHCPMPortfolioGroupsReport`. The column names
//! are those a public consumer of the files reads; no sample was available to verify them. Columns are found by
//! name, so others may stand beside them; each file ends with a footer row.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use serde_json::{Value, json};

use super::parameters::{ClassGroup, PortfolioGroup, Product, ProductGroup, Range};
use kernel::error::{Code, MarginError, Result};
use kernel::fail;

/// The paths of the three reports.
#[derive(Debug, Clone)]
pub struct Files<'a> {
    pub included_products: &'a Path,
    pub product_groups: &'a Path,
    pub portfolio_groups: &'a Path,
}

/// The same from paths named `included_products`, `product_groups` and `portfolio_groups`.
pub fn read_named(files: &BTreeMap<String, std::path::PathBuf>) -> Result<Value> {
    let file = |name: &str| match files.get(name) {
        Some(path) => Ok(path.as_path()),
        None => fail!(
            InvalidInput: NotStated;
            "tims: the path of OCC's {name} report is missing"
        ),
    };
    read(&Files {
        included_products: file("included_products")?,
        product_groups: file("product_groups")?,
        portfolio_groups: file("portfolio_groups")?,
    })
}

/// The reports as changes to the preset `occ-files`.
pub fn read(files: &Files<'_>) -> Result<Value> {
    let portfolio_rows = Table::open(
        files.portfolio_groups,
        &[
            "Portfolio Group",
            "Product Group",
            "Portfolio Group Offset %",
        ],
    )?;
    let mut portfolio_groups = BTreeMap::new();
    let mut portfolio_of = BTreeMap::new();
    for row in &portfolio_rows.rows {
        let name = row.text(0)?;
        let offset = row.percent(2)?;
        if let Some(PortfolioGroup { offset: first }) =
            portfolio_groups.insert(name.to_string(), PortfolioGroup { offset })
            && first != offset
        {
            return Err(row.error(format!(
                "portfolio group {name} has offsets {first} and {offset}"
            )));
        }
        portfolio_of.insert(row.text(1)?.to_string(), name.to_string());
    }
    let group_rows = Table::open(
        files.product_groups,
        &[
            "Product Group",
            "CPM % Up",
            "CPM % Down",
            "Product Group Offset %",
        ],
    )?;
    let mut product_groups = BTreeMap::new();
    for row in &group_rows.rows {
        let name = row.text(0)?.to_string();
        let range = Range {
            up: row.percent(1)?.abs(),
            down: -row.percent(2)?.abs(),
        };
        let group = ProductGroup {
            range: Some(range),
            offset: row.percent(3)?,
            portfolio_group: portfolio_of.get(&name).cloned(),
        };
        if product_groups.insert(name.clone(), group).is_some() {
            return Err(row.error(format!("product group {name} appears twice")));
        }
    }
    let (products, class_groups) = read_products(files.included_products)?;
    Ok(json!({
        "products": products,
        "class_groups": class_groups,
        "product_groups": product_groups,
        "portfolio_groups": portfolio_groups,
    }))
}

type Products = (BTreeMap<String, Product>, BTreeMap<String, ClassGroup>);

fn read_products(path: &Path) -> Result<Products> {
    let table = Table::open(
        path,
        &[
            "Product Type",
            "Symbol",
            "Class Group",
            "Product Group",
            "Product CPM Eligible",
            "CPM Minimum Charge Per Contract",
            "Market Move Adjustment Factor",
        ],
    )?;
    let mut products: BTreeMap<String, Product> = BTreeMap::new();
    let mut class_groups: BTreeMap<String, ClassGroup> = BTreeMap::new();
    for row in &table.rows {
        let symbol = row.text(1)?;
        let class_group = row.text(2)?.to_string();
        let eligible = match row.text(4)?.to_ascii_uppercase().as_str() {
            "Y" | "YES" | "TRUE" => true,
            "N" | "NO" | "FALSE" => false,
            other => {
                return Err(row.error(format!(
                    "Product CPM Eligible is '{other}', neither Y nor N"
                )));
            }
        };
        let factor = if row.fields[6].is_empty() {
            1.0
        } else {
            row.number(6)?
        };
        // Shares of a symbol carry no minimum; its options' row does.
        let is_equity = row.text(0)?.eq_ignore_ascii_case("EQUI");
        let minimum = if is_equity || row.fields[5].is_empty() {
            None
        } else {
            Some(row.number(5)?)
        };
        let product_group = Some(row.text(3)?.to_string());
        let group = class_groups
            .entry(class_group.clone())
            .or_insert_with(|| ClassGroup {
                range: None,
                product_group: product_group.clone(),
            });
        if group.product_group != product_group {
            return Err(row.error(format!(
                "class group {class_group} lies in two product groups"
            )));
        }
        let own = products
            .entry(symbol.to_string())
            .or_insert_with(|| Product {
                class_group: Some(class_group.clone()),
                factor: Some(factor),
                minimum,
                eligible: Some(eligible),
            });
        if own.class_group.as_ref() != Some(&class_group) || own.factor != Some(factor) {
            return Err(row.error(format!(
                "symbol {symbol} appears with two class groups or two factors"
            )));
        }
        own.eligible = own.eligible.map(|e| e && eligible);
        own.minimum = own.minimum.or(minimum);
    }
    Ok((products, class_groups))
}

struct Table {
    rows: Vec<Row>,
}

struct Row {
    file: String,
    line: u64,
    columns: Vec<&'static str>,
    fields: Vec<String>,
}

impl Table {
    /// The named columns of every data row; the last row is the footer.
    fn open(path: &Path, columns: &[&'static str]) -> Result<Self> {
        let file = path.display().to_string();
        let error = |why: String| MarginError::ParseError(format!("{file}: {why}").into());
        let source = File::open(path)
            .map_err(|e| error(format!("cannot be read: {e}")).code(Code::Unreadable))?;
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(source);
        let header = reader.headers().map_err(|e| error(e.to_string()))?.clone();
        let mut at = Vec::new();
        for column in columns {
            match header.iter().position(|h| {
                h.trim_start_matches('\u{feff}')
                    .eq_ignore_ascii_case(column)
            }) {
                Some(i) => at.push(i),
                None => fail!(
                    ParseError,
                    "{file}: line 1: no column '{column}': is it the right report?"
                ),
            }
        }
        let mut rows: Vec<Row> = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| error(e.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            let complete = at.iter().all(|&i| i < record.len());
            let fields = at
                .iter()
                .map(|&i| record.get(i).unwrap_or_default().to_string())
                .collect();
            rows.push(Row {
                file: file.clone(),
                line,
                columns: if complete {
                    columns.to_vec()
                } else {
                    Vec::new()
                },
                fields,
            });
        }
        let Some(footer) = rows.pop() else {
            return Err(error(
                "no rows after the header: the file is cut off".into(),
            ));
        };
        let footer_is_data = !footer.columns.is_empty()
            && footer.fields.iter().filter(|f| f.is_empty()).count() == 0;
        if footer_is_data {
            return Err(footer.error(
                "the last row is data, not the report's footer: the file is cut off".into(),
            ));
        }
        if let Some(short) = rows.iter().find(|r| r.columns.is_empty()) {
            return Err(short.error("the row has fewer fields than the header".into()));
        }
        Ok(Self { rows })
    }
}

impl Row {
    fn error(&self, why: String) -> MarginError {
        MarginError::ParseError(format!("{}: line {}: {why}", self.file, self.line).into())
    }

    fn text(&self, column: usize) -> Result<&str> {
        match self.fields[column].as_str() {
            "" => Err(self.error(format!("'{}' is empty", self.columns[column]))),
            text => Ok(text),
        }
    }

    fn number(&self, column: usize) -> Result<f64> {
        let text = self.text(column)?;
        let plain = text.trim_start_matches('$').trim_end_matches('%').trim();
        match plain.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => Err(self.error(format!(
                "'{}' is '{text}', not a number",
                self.columns[column]
            ))),
        }
    }

    fn percent(&self, column: usize) -> Result<f64> {
        Ok(self.number(column)? / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tims;
    use std::fs;

    fn write(name: &str, text: &str) -> std::path::PathBuf {
        let path =
            std::env::temp_dir().join(format!("margincore-occ-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        path
    }

    const PRODUCTS: &str = "Product Type,Symbol,Class Group,Product Group,Product CPM Eligible,CPM Minimum Charge Per Contract,RBH Minimum Charge Per Contract,Market Move Adjustment Factor\n\
        OPTN,SPX,SPX,P1,Y,37.50,25.00,1\nEQUI,SPY,SPX,P1,Y,,,1\nOPTN,SPY,SPX,P1,Y,37.50,25.00,1\nOPTN,XYZ,XYZ,P2,N,37.50,25.00,1\nTotal: 4\n";
    const GROUPS: &str = "Product Group,CPM % Up,CPM % Down,Product Group Offset %\nP1,6,8,90\nP2,15,-15,0\nTotal: 2\n";
    const PORTFOLIOS: &str =
        "Portfolio Group,Product Group,Portfolio Group Offset %\nF1,P1,75\nTotal: 1\n";

    #[test]
    fn three_reports_become_parameters() {
        let (a, b, c) = (
            write("p1.csv", PRODUCTS),
            write("g1.csv", GROUPS),
            write("f1.csv", PORTFOLIOS),
        );
        let files = Files {
            included_products: &a,
            product_groups: &b,
            portfolio_groups: &c,
        };
        let mut document = read(&files).unwrap();
        document["preset"] = "occ-files".into();
        let tims = Tims::new(&document).unwrap();
        assert_eq!(
            tims.parameters.stated_range("SPX"),
            Some(Range {
                down: -0.08,
                up: 0.06
            })
        );
        assert_eq!(tims.parameters.products["SPY"].minimum, Some(37.5));
        assert!(tims.parameters.products["XYZ"].eligible == Some(false));
        assert_eq!(
            tims.parameters.product_groups["P1"]
                .portfolio_group
                .as_deref(),
            Some("F1")
        );
    }

    #[test]
    fn a_file_cut_off_is_refused_with_its_line() {
        let cut = PRODUCTS.trim_end_matches("Total: 4\n");
        let (a, b, c) = (
            write("p2.csv", cut),
            write("g2.csv", GROUPS),
            write("f2.csv", PORTFOLIOS),
        );
        let error = read(&Files {
            included_products: &a,
            product_groups: &b,
            portfolio_groups: &c,
        })
        .unwrap_err();
        assert!(
            matches!(error, MarginError::ParseError(_)) && error.message().contains("line 5"),
            "{error}"
        );
        let wrong = read(&Files {
            included_products: &b,
            product_groups: &b,
            portfolio_groups: &c,
        })
        .unwrap_err();
        assert!(wrong.message().contains("Product Type"), "{wrong}");
    }
}
