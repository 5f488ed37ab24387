use super::*;

fn text(values: &[&str]) -> TextColumn {
    TextColumn {
        codes: (0..values.len() as u32).collect(),
        values: values.iter().map(|v| v.to_string()).collect(),
    }
}

/// A contract that states every term, with a value that is not the one of a term left out.
fn full() -> Terms {
    Terms {
        id: "X".into(),
        kind: Kind::Option,
        underlying: "A".into(),
        right: Some(Right::Put),
        strike: Some(90.0),
        expiry: Some("2026-12-18".into()),
        settles: Some(Settles::Pm),
        exchange: Some("us".into()),
        exercise: Some(Exercise::American),
        multiplier: Some(100.0),
        multiplier_unit: Some("coin".into()),
        strike_multiplier: Some(50.0),
        premium_multiplier: Some(25.0),
        settlement: Settlement::Inverse,
        premium: Premium::FuturesStyle,
        currency: "USD".into(),
        lot: 0.5,
        deliverable: Some(Deliverable::parse("150 shares of A and 10.5 in cash").unwrap()),
        listed: false,
        venue: Some("XNAS".into()),
        aliases: BTreeMap::from([("osi".to_string(), "A  261218P00090000".to_string())]),
    }
}

#[test]
fn every_term_comes_by_document_and_by_columns() {
    let document = serde_json::to_value(full()).unwrap();
    let written: Vec<&str> = Terms::NAMES
        .iter()
        .copied()
        .filter(|n| document.get(n).is_some())
        .collect();
    assert_eq!(written, Terms::NAMES);
    assert_eq!(document.as_object().unwrap().len(), Terms::NAMES.len());
    let mut columns = TermColumns::default();
    for &(name, form) in FORMS {
        let (name, value) = (name.to_string(), &document[name]);
        match form {
            Form::Text => {
                let value = value.as_str().unwrap();
                columns.text.insert(name, text(&[value]));
            }
            Form::Words => {
                let words = full().deliverable.unwrap().to_string();
                columns.text.insert(name, text(&[words.as_str()]));
            }
            Form::Number => {
                columns.numbers.insert(name, vec![value.as_f64().unwrap()]);
            }
            Form::Flag => {
                columns.flags.insert(name, vec![value.as_bool().unwrap()]);
            }
            Form::Named => {
                let named = value.as_object().unwrap().iter();
                let named = named.map(|(k, v)| (k.clone(), text(&[v.as_str().unwrap()])));
                columns.named.insert(name, named.collect());
            }
        }
    }
    let table = columns.contracts().unwrap();
    assert_eq!(table.rows()[0].terms(), &full());
    let again = TermColumns::of(&table).contracts().unwrap();
    assert_eq!(again.rows()[0].terms(), &full());
    assert!(is_flag("listed") && !is_flag("lot"));
}

#[test]
fn unlisted_rows_and_aliases_come_by_row() {
    let columns = TermColumns {
        text: BTreeMap::from([
            ("kind".to_string(), text(&["stock"])),
            ("underlying".to_string(), text(&["A", "B"])),
            ("currency".to_string(), text(&["USD"])),
        ]),
        flags: BTreeMap::from([("listed".to_string(), vec![true, false])]),
        named: BTreeMap::from([(
            "aliases".to_string(),
            BTreeMap::from([("ric".to_string(), text(&["", "B.N"]))]),
        )]),
        ..TermColumns::default()
    };
    let table = columns.contracts().unwrap();
    let terms = |row: usize| table.rows()[row].terms();
    assert!(terms(0).listed && terms(0).aliases.is_empty());
    assert!(!terms(1).listed);
    assert_eq!(terms(1).aliases["ric"], "B.N");
}

#[test]
fn columns_of_a_table_make_the_same_table() {
    let stock = Terms::new(Kind::Stock, "A".into(), "USD".into());
    let standard = Terms {
        deliverable: None,
        strike_multiplier: None,
        premium_multiplier: None,
        aliases: BTreeMap::new(),
        ..full()
    };
    let terms = [
        stock.clone(),
        Terms {
            id: "standard".into(),
            ..standard
        },
        full(),
        Terms {
            id: "B".into(),
            underlying: "B".into(),
            aliases: BTreeMap::from([("ric".to_string(), "B.N".to_string())]),
            ..stock
        },
    ];
    let rows = terms.map(|terms| Arc::new(Contract::new(terms).unwrap()));
    let table = Contracts::new(rows.to_vec()).unwrap();
    let again = TermColumns::of(&table).contracts().unwrap();
    assert_eq!(again.digest(), table.digest());
}

#[test]
fn unknown_columns_and_lengths_that_differ_are_refused() {
    let refused = |columns: TermColumns| columns.contracts().unwrap_err().message().to_string();
    let flags = |name: &str, count: usize| TermColumns {
        flags: BTreeMap::from([(name.to_string(), vec![true; count])]),
        text: BTreeMap::from([("kind".to_string(), text(&["stock", "stock"]))]),
        ..TermColumns::default()
    };
    assert_eq!(
        refused(flags("lot", 2)),
        "contracts: unknown true-or-false column 'lot': known are listed"
    );
    assert_eq!(
        refused(flags("listed", 3)),
        "contracts: column 'kind' has 2 rows where others have 3"
    );
    assert_eq!(
        refused(flags("listed", 2)),
        "contracts row 0: underlying is missing"
    );
}
