//! The whole real file, regressions of published margin bugs, and hostile input.

use std::path::PathBuf;

use serde_json::json;

use super::*;
use engine::account::{AccountTerms, AccountView, Holdings};
use engine::contract::Contract;
use engine::preparation::Preparation;
use engine::seam::Scratch;
use kernel::error::MarginError;

/// The real file, where the data folder is present: `MARGINCORE_DATA`, or `../shared/data` from the project's root.
fn takasbank() -> Option<Vec<u8>> {
    let folder = std::env::var_os("MARGINCORE_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"),
        PathBuf::from,
    );
    std::fs::read(folder.join("span/takasbank_viop_20160517_final.spn.gz")).ok()
}

fn margin_of(span: &Span, positions: &[(&str, i64)]) -> Result<engine::report::MarginReport> {
    let file = span.file();
    let ids = compile::rows_by_id(file);
    let mut list = Vec::new();
    for (id, _) in positions {
        let Some(row) = ids.get(*id) else {
            fail!(MissingData: MissingParameter; "{id}")
        };
        list.push(Arc::new(Contract::new(contracts::terms(
            file,
            *row as usize,
        ))?));
    }
    let table = Arc::new(Contracts::new(list)?);
    let prepared = Preparation::new(Arc::new(span.clone()), &table, None, 1)?.prepared;
    let rows = positions
        .iter()
        .enumerate()
        .map(|(i, p)| (i as u32, p.1.max(0), (-p.1).max(0)))
        .collect();
    let holdings = Holdings::from_rows(rows, false)?;
    let terms = AccountTerms::default();
    let view = AccountView {
        positions: holdings.positions(),
        terms: &terms,
    };
    let report = prepared.margin(view)?;
    assert!(report.adds_up());
    assert_eq!(
        prepared.requirement(view, &mut Scratch::default())?,
        report.requirement
    );
    Ok(report)
}

#[test]
fn every_array_and_delta_of_the_real_file() {
    let Some(data) = takasbank() else { return };
    let file = container::parse(data, "takasbank.spn.gz").unwrap();
    assert_eq!(file.unknown.len(), 0, "{:?}", file.unknown);
    let made = generate::regenerate(&file, &generate::variant("takasbank").unwrap()).unwrap();
    let (mut options, mut futures, mut worst, mut worst_delta) = (0, 0, 0.0_f64, 0.0_f64);
    for one in &made {
        if file.contracts.right[one.row] == 0 {
            futures += 1
        } else {
            options += 1
        }
        for (a, b) in one.array.iter().zip(file.array(one.row)) {
            worst = worst.max((a - b).abs() / one.underlying);
        }
        worst_delta = worst_delta.max((one.delta - file.contracts.delta[one.row]).abs());
    }
    assert_eq!((options, futures), (2628, 146));
    // 3.03e-7: the file was made in 32-bit floats.
    assert!(worst < 3.05e-7, "{worst}");
    assert!(worst_delta < 1e-6, "{worst_delta}");
}

#[test]
fn a_cache_is_the_file() {
    let Some(data) = takasbank() else { return };
    let file = container::parse(data, "takasbank.spn.gz").unwrap();
    let saved = cache::save(&file).unwrap();
    let loaded = cache::load(&saved, "cache").unwrap();
    assert_eq!(cache::save(&loaded).unwrap(), saved);
    for at in (0..saved.len()).step_by(997) {
        let mut broken = saved.clone();
        broken[at] ^= 1;
        assert!(cache::load(&broken, "cache").is_err(), "byte {at}");
    }
    for at in (0..saved.len()).step_by(4999) {
        assert!(cache::load(&saved[..at], "cache").is_err(), "byte {at}");
    }
}

fn points() -> serde_json::Value {
    json!([3.0, 0.33])
}

fn contract(product: &str, period: &str, range: f64) -> serde_json::Value {
    let array: Vec<f64> = model::standard_points(3.0, 0.33)
        .iter()
        .map(|p| -p.price * p.weight * range)
        .collect();
    json!({"product": product, "kind": "FUT", "period": period, "commodity": product, "array": array, "price_scan": range})
}

fn span(parameters: serde_json::Value) -> Span {
    let parameters: document::ParametersDocument = serde_json::from_value(parameters).unwrap();
    Span::new(parameters.build().unwrap(), Options::default(), None).unwrap()
}

#[test]
fn a_scanning_based_spread_needs_two_legs_whatever_the_file_says() {
    // SPAN 03-08: no required legs, minimum 1, one leg held: it must not form.
    let file = span(json!({
        "extreme": points(),
        "contracts": [contract("A", "202506", 100.0), contract("B", "202506", 90.0), contract("T", "202506", 50.0)],
        "commodities": [{"code": "A", "currency": "USD"}, {"code": "B", "currency": "USD"}, {"code": "T", "currency": "USD"}],
        "super_spreads": [{"priority": 1, "method": "W", "rate": 0.5, "scanning": true, "minimum_legs": 1, "legs": [
            {"commodity": "A", "side": 1, "required": false}, {"commodity": "B", "side": -1, "required": false},
            {"commodity": "T", "side": 1, "required": false, "target": true}]}],
    }));
    let alone = margin_of(&file, &[(":A:FUT:202506", 1)]).unwrap();
    assert_eq!(alone.requirement.initial, 100.0);
    assert_eq!(alone.details["spreads"], json!([]));
    let both = margin_of(&file, &[(":A:FUT:202506", 1), (":B:FUT:202506", -1)]).unwrap();
    assert_eq!(both.requirement.initial, 55.0);
}

fn small_pa2() -> String {
    format!(
        "{:132}\n{:132}\n{:132}\n{:132}\n{}\n{}\n",
        "0 CME   20190102SF     201901021814U2YN                                   M",
        "2 CME ES    0USD$PN   ES        FUT",
        format!("{:68}{}", "3 ES    01", "100011001250"),
        format!(
            "{:41}{:14}{:6}{:4}{}",
            "P CMEES        FUTE-MINI         002000", "00005000000000", "", "", "USD"
        ),
        "81CMEES        ES        FUT 201903            000000000000+00000+02000-02000-02000+02000+04000-04000-04000+00000000251100N",
        "82CMEES        ES        FUT 201903            000000004000+06000-06000-06000+06000+05940-05940+10000+000000000251100++10000+C",
    )
}

#[test]
fn initial_ratios_are_read_without_tiers_and_in_both_formats() {
    // Advisory 02-13: with method 01 the ratio was read as 1.
    let pa2 = small_pa2();
    let file = pa2::parse(pa2.as_bytes(), "test.pa2").unwrap();
    let levels = file.commodities[0].levels;
    assert_eq!(
        (
            levels.member.initial,
            levels.hedger.initial,
            levels.speculator.initial
        ),
        (1.0, 1.1, 1.25)
    );
    let span = Span::new(file, Options::default(), None).unwrap();
    let report = margin_of(&span, &[("CME:ES:FUT:201903", 1)]).unwrap();
    assert_eq!(
        (report.requirement.initial, report.requirement.maintenance),
        (7500.0, 6000.0)
    );
}

fn option(
    right: &str,
    strike: f64,
    value: f64,
    array: &[f64],
    futures_style: bool,
) -> serde_json::Value {
    json!({"product": "O", "kind": "OOP", "period": "202506", "commodity": "O", "right": right, "strike": strike,
           "value": value, "array": array, "delta": 0.5, "futures_style": futures_style})
}

#[test]
fn long_options_alone_never_owe_more_than_they_are_worth() {
    let array = [130.0; 16];
    let file = span(
        json!({"extreme": points(), "commodities": [{"code": "O", "currency": "USD"}],
                           "contracts": [option("C", 10.0, 100.0, &array, false)]}),
    );
    let report = margin_of(&file, &[(":O:OOP:202506:C:10", 3)]).unwrap();
    assert_eq!(report.requirement.initial, 300.0);
    assert_eq!(report.requirement.less_option_value(), 0.0);
}

#[test]
fn futures_style_options_have_no_option_value() {
    // Build 610.151: their value was wrongly counted as available net option value.
    let array = [130.0; 16];
    let file = span(
        json!({"extreme": points(), "commodities": [{"code": "O", "currency": "USD"}],
                           "contracts": [option("C", 10.0, 100.0, &array, true)]}),
    );
    let report = margin_of(&file, &[(":O:OOP:202506:C:10", 3)]).unwrap();
    assert_eq!(report.requirement.net_option_value, 0.0);
    assert_eq!(report.requirement.initial, 390.0);
}

#[test]
fn currency_rates_are_doubles_and_a_missing_one_is_an_error() {
    let contracts = json!([contract("A", "202506", 1e9)]);
    let with = |rates: serde_json::Value| {
        let parameters = json!({"extreme": points(), "contracts": contracts, "rates": rates,
            "commodities": [{"code": "A", "currency": "JPY"}]});
        let parameters: document::ParametersDocument = serde_json::from_value(parameters).unwrap();
        let options = Options {
            base_currency: Some("USD".into()),
            ..Options::default()
        };
        Span::new(parameters.build().unwrap(), options, None).unwrap()
    };
    let report = margin_of(
        &with(json!([{"from": "JPY", "to": "USD", "factor": 0.0063712345}])),
        &[(":A:FUT:202506", 1)],
    )
    .unwrap();
    assert_eq!(report.requirement.initial, 1e9 * 0.0063712345);
    assert!(matches!(
        margin_of(&with(json!([])), &[(":A:FUT:202506", 1)]),
        Err(MarginError::MissingData(_))
    ));
}

#[test]
fn the_factor_never_multiplies_option_value() {
    let array = [50.0; 16];
    let file = span(
        json!({"extreme": points(), "contracts": [option("C", 10.0, 100.0, &array, false)],
        "commodities": [{"code": "O", "currency": "USD", "som_tiers": [{"number": 0, "rate": 20.0}],
                         "levels": {"speculator": {"initial": 1.1, "maintenance": 1.0}}}]}),
    );
    let report = margin_of(&file, &[(":O:OOP:202506:C:10", -2)]).unwrap();
    // Short: every scenario gains, the minimum of 40 binds; the liability of 200 is not scaled.
    assert_eq!(report.requirement.net_option_value, -200.0);
    assert!((report.requirement.initial - 44.0).abs() < 1e-12);
    assert!((report.requirement.less_option_value() - 244.0).abs() < 1e-12);
    assert_eq!(report.requirement.maintenance, 40.0);
}

#[test]
fn asymmetric_scans_use_the_down_range() {
    let inputs = generate::ArrayInputs {
        model: None,
        underlying: 1000.0,
        strike: 0.0,
        years: 0.0,
        rate: 0.0,
        dividend_yield: 0.0,
        vol: 0.0,
        right: 0,
        price_scan: 100.0,
        price_scan_down: Some(150.0),
        vol_scan: 0.0,
        vol_scan_down: None,
        vol_scan_percent: false,
        lookahead: 0.0,
        spot_carry: false,
        steps: 1,
    };
    let array = inputs.array(&model::standard_points(3.0, 0.33)).unwrap();
    assert_eq!((array[10], array[12]), (-100.0, 150.0));
}

#[test]
fn day_codes_keep_contracts_of_one_month_apart() {
    // 4.02c: two daily contracts of one month collapsed to one.
    let file = span(
        json!({"extreme": points(), "commodities": [{"code": "A", "currency": "USD"}],
        "contracts": [contract("A", "20250613", 100.0), contract("A", "20250620", 100.0)]}),
    );
    let report = margin_of(&file, &[(":A:FUT:20250613", 1), (":A:FUT:20250620", -1)]).unwrap();
    assert_eq!(report.requirement.initial, 0.0);
    assert_eq!(
        report.details["commodities"]["A"]["delta_by_period"],
        json!({"20250613": 1.0, "20250620": -1.0})
    );
}

const SMALL: &str = "<?xml version=\"1.0\"?>\n<spanFile><fileFormat>4.00</fileFormat><created>202506010000</created>\
<pointInTime><date>20250601</date><isSetl>1</isSetl><clearingOrg><ec>X</ec><exchange><exch>E</exch>\
<futPf><pfId>1</pfId><pfCode>F</pfCode><currency>USD</currency><cvf>1</cvf><fut><cId>1</cId><pe>202506</pe><p>10.5</p>\
<ra><r>1</r><a>0</a><a>0</a><a>-3</a><a>-3</a><a>3</a><a>3</a><a>-6</a><a>-6</a><a>6</a><a>6</a><a>-10</a><a>-10</a>\
<a>10</a><a>10</a><a>-9</a><a>9</a><d>1.0</d></ra></fut></futPf></exchange><ccDef><cc>F</cc><currency>USD</currency>\
<pfLink><exch>E</exch><pfId>1</pfId><sc>1</sc></pfLink></ccDef></clearingOrg></pointInTime></spanFile>\n";

#[test]
fn truncated_anywhere_a_file_is_an_error_or_the_same() {
    let whole = container::parse(SMALL.into(), "small.spn").unwrap();
    for at in 0..SMALL.len() {
        if let Ok(file) = container::parse(SMALL.as_bytes()[..at].to_vec(), "small.spn") {
            assert_eq!(file.contracts, whole.contracts, "byte {at}");
            assert_eq!(file.commodities, whole.commodities, "byte {at}");
        }
    }
    let mut zipped = Vec::new();
    {
        use std::io::Write;
        let mut encoder =
            flate2::write::GzEncoder::new(&mut zipped, flate2::Compression::default());
        encoder.write_all(SMALL.as_bytes()).unwrap();
        encoder.finish().unwrap();
    }
    assert_eq!(
        container::parse(zipped.clone(), "small.spn.gz")
            .unwrap()
            .contracts,
        whole.contracts
    );
    for at in 0..zipped.len() {
        assert!(
            container::parse(zipped[..at].to_vec(), "small.spn.gz").is_err(),
            "byte {at}"
        );
    }
}

#[test]
fn a_contract_twice_is_refused() {
    let twice = SMALL.replace("</fut>", "</fut><fut><cId>2</cId><pe>202506</pe></fut>");
    assert!(matches!(
        container::parse(twice.into(), "twice.spn"),
        Err(MarginError::ParseError(_))
    ));
}

#[test]
fn compression_bombs_are_refused() {
    use std::io::Write;
    let mut bomb = Vec::new();
    {
        let mut encoder = flate2::write::GzEncoder::new(&mut bomb, flate2::Compression::best());
        let block = vec![b' '; 1 << 20];
        for _ in 0..64 {
            encoder.write_all(&block).unwrap();
        }
        encoder.finish().unwrap();
    }
    let refused = container::parse(bomb, "bomb.gz").unwrap_err();
    assert!(refused.message().contains("refused"), "{refused}");
}

#[test]
fn prices_of_the_expanded_format() {
    let price = |digits, locator, code| pa2::settlement_price(digits, locator, code);
    assert_eq!(price("0122060", 3, b'C').unwrap(), 122.1875);
    assert_eq!(price("0003757", 3, b'0').unwrap(), 375.75);
    assert_eq!(price("0251100", 2, b' ').unwrap(), 2511.0);
    assert!(price("0003754", 3, b'0').is_err());
    assert!(price("12a", 2, b' ').is_err());
}
