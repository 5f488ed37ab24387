//! Small SPAN files of our own that use every element and record the readers know.

use std::fmt::Write as _;

/// The array of a future of the given scan range: losses, whole money.
fn array(range: f64) -> Vec<f64> {
    let moves: [f64; 16] = [
        0.0, 0.0, 1.0, 1.0, -1.0, -1.0, 2.0, 2.0, -2.0, -2.0, 3.0, 3.0, -3.0, -3.0, 2.97, -2.97,
    ];
    moves
        .iter()
        .map(|m| (-m * range / 3.0).round() + 0.0)
        .collect()
}

fn elements(range: f64, delta: &str) -> String {
    let values = array(range).iter().fold(String::new(), |mut out, a| {
        let _ = write!(out, "<a>{a}</a>");
        out
    });
    format!("<ra><r>1</r>{values}<d>{delta}</d></ra>")
}

fn points() -> String {
    (0..16_usize).fold(String::new(), |mut out, i| {
        let price = [0.0, 0.333333, -0.333333, 0.666667, -0.666667, 1.0, -1.0, 3.0, -3.0];
        let (at, extreme) = if i < 14 { (i / 2, false) } else { (i - 7, true) };
        let vol = if extreme { 0.0 } else { 1.0 - 2.0 * (i % 2) as f64 };
        let paired = if extreme { i + 1 } else { i + 2 - 2 * (i % 2) };
        let weight = if extreme { 0.33 } else { 1.0 };
        let _ = write!(
            out,
            "<scanPointDef><point>{}</point><priceScanDef><mult>{}</mult><numerator>0</numerator></priceScanDef>\
             <volScanDef><mult>{vol}</mult></volScanDef><weight>{weight}</weight><pairedPoint>{paired}</pairedPoint>\
             </scanPointDef>",
            i + 1,
            price[at]
        );
        out
    })
}

/// A `.spn` document with every element that is read.
pub(crate) fn spn() -> Vec<u8> {
    let scan = "<scanRate><r>1</r><priceScan>30</priceScan><volScanPct>0.05</volScanPct><priceScanDown>31</priceScanDown></scanRate>";
    let future = |id: u32, period: &str, range: f64| {
        format!(
            "<fut><cId>{id}</cId><pe>{period}</pe><p>100.5</p><d>1</d><v>0.2</v><setlDate>20250620</setlDate><t>0.05</t>{scan}{}</fut>",
            elements(range, "1.0")
        )
    };
    let options = |underlying: &str| {
        format!(
            "<series><pe>202506</pe><v>0.2</v><setlDate>20250620</setlDate><t>0.05</t><cvf>1</cvf><svf>1</svf><sc>1</sc>\
             {underlying}<intrRate><val>0.1</val><rl>0</rl></intrRate><divRate><val>0</val></divRate>{scan}\
             <opt><cId>31</cId><o>C</o><k>100</k><p>3.25</p><d>0.5</d><v>0.21</v><val>3.25</val>{}</opt>\
             <opt><cId>32</cId><o>P</o><k>100</k><p>CAB</p>{}</opt></series>",
            elements(15.0, "0.5"),
            elements(-15.0, "-0.5")
        )
    };
    let leg = |tag: &str, cc: &str, which: &str, side: &str| {
        format!("<{tag}><cc>{cc}</cc>{which}<rs>{side}</rs><i>1.5</i></{tag}>")
    };
    let spread = |priority: u32, method: &str, rates: &str, legs: &[String]| {
        format!(
            "<dSpread><spread>{priority}</spread><chargeMeth>{method}</chargeMeth>{rates}{}</dSpread>",
            legs.concat()
        )
    };
    let rate = "<rate><r>1</r><val>0.5</val></rate>";
    let tier = "<tier><tn>1</tn><sPe>202506</sPe><ePe>202508</ePe></tier><tier><tn>2</tn><sPe>202509</sPe></tier>";
    let links = |families: &[&str]| {
        families.iter().fold(String::new(), |mut out, id| {
            let _ = write!(
                out,
                "<pfLink><exch>E</exch><pfId>{id}</pfId><pfCode>X</pfCode><sc>1.0</sc><cmbMeth>DELTASPLIT</cmbMeth>\
                 <oopDeltaMeth>PERIOD</oopDeltaMeth></pfLink>"
            );
            out
        })
    };
    let calendar = spread(
        1,
        "F",
        "<rate><r>1</r><val>4</val></rate>",
        &[
            leg("tLeg", "F", "<tn>1</tn>", "A"),
            leg("tLeg", "F", "<tn>2</tn>", "B"),
        ],
    );
    let months = spread(
        2,
        "P",
        "<pmpsRate><r>1</r><val>2</val><pmRate>1</pmRate><psRate>1</psRate></pmpsRate>",
        &[
            leg("pLeg", "F", "<pe>202506</pe>", "A"),
            leg("pLeg", "F", "<pe>202509</pe>", "B"),
        ],
    );
    let between = spread(
        1,
        "W",
        rate,
        &[
            leg("tLeg", "F", "<tn>0</tn>", "A"),
            leg("tLeg", "G", "<tn>0</tn>", "B"),
        ],
    );
    let scanning = format!(
        "<sSpread><spread>2</spread><isTargetReq>1</isTargetReq><numLegsReq>2</numLegsReq><sPointDef><point>3</point>\
         <aggMeth>1</aggMeth><sRate>0.5</sRate><nMaxLoss>1</nMaxLoss></sPointDef>{rate}<sLeg><cc>F</cc>\
         <isTarget>1</isTarget><i>1</i></sLeg><sLeg><cc>G</cc><isTarget>0</isTarget><isRequired>1</isRequired>{rate}</sLeg></sSpread>"
    );
    format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<!-- ours -->\n<spanFile><fileFormat>4.00</fileFormat>\
         <created>202506010000</created><pointInTime><date>20250601</date><isSetl>1</isSetl>\
         <setlQualifier>final</setlQualifier><clearingOrg><ec>X</ec><isContractScale>0</isContractScale>\
         <oopDeltaMeth>PERIOD</oopDeltaMeth><capAnov>0</capAnov><lookAheadDays>1</lookAheadDays>\
         <daysPerYear>250</daysPerYear><curConv><fromCur>USD</fromCur><toCur>EUR</toCur><factor>0.9</factor></curConv>\
         <pbRateDef><r>1</r><isCust>1</isCust><acctType>S</acctType><isM>0</isM><pbc>CORE</pbc></pbRateDef>\
         <pointDef><r>1</r>{points}<deltaPointDef><point>1</point><priceScanDef><mult>0</mult></priceScanDef>\
         <weight>1</weight></deltaPointDef></pointDef>\n<exchange><exch>E</exch>\
         <phyPf><pfId>1</pfId><pfCode>F</pfCode><name>F &amp; co</name><currency>USD</currency><cvf>1</cvf><phy><cId>1</cId>\
         <pe>000000</pe><p>100</p>{physical}</phy></phyPf>\
         <futPf><pfId>2</pfId><pfCode>F</pfCode><currency>USD</currency><cvf>1</cvf>{near}{far}</futPf>\
         <futPf><pfId>3</pfId><pfCode>G</pfCode><currency>EUR</currency><cvf>1</cvf>{other}</futPf>\
         <cmbPf><pfId>4</pfId><pfCode>FC</pfCode><currency>USD</currency><cvf>1</cvf><cmb><cId>1</cId><pe>202506</pe><p>1</p>\
         <undC><exch>E</exch><pfId>2</pfId><cId>11</cId><s>A</s><i>1</i></undC><undC><exch>E</exch><pfId>2</pfId><cId>12</cId>\
         <s>B</s><i>1</i></undC>{combined}</cmb></cmbPf>\
         <oofPf><pfId>5</pfId><pfCode>FO</pfCode><exercise>AMER</exercise><currency>USD</currency><cvf>1</cvf><cab>1</cab>\
         <valueMeth>EQTY</valueMeth><priceModel>WB</priceModel>{on_future}</oofPf>\
         <oopPf><pfId>6</pfId><pfCode>F</pfCode><exercise>EURO</exercise><currency>USD</currency><cvf>1</cvf><cab>1</cab>\
         <valueMeth>EQTY</valueMeth><priceModel>M</priceModel>{on_physical}</oopPf>\
         <oocPf><pfId>7</pfId><pfCode>FCO</pfCode><currency>USD</currency><cvf>1</cvf><valueMeth>FUT</valueMeth>\
         {on_combination}</oocPf></exchange>\n\
         <ccDef><cc>F</cc><name>F</name><currency>USD</currency><riskExponent>0</riskExponent><capAnov>1</capAnov>\
         <procMeth>NORMAL</procMeth><wfprMeth>SCANRANGE_CAP</wfprMeth><spotMeth>NORMAL</spotMeth><somMeth>MAX</somMeth>\
         {links}<adjRate><r>1</r><baseR>1</baseR><val>0.75</val></adjRate><intraTiers>{tier}</intraTiers>\
         <interTiers><tier><tn>0</tn></tier></interTiers><somTiers><tier><tn>0</tn>{rate}</tier></somTiers>{calendar}{months}\
         <spotRate><r>1</r><pe>202506</pe><sprd>1</sprd><outr>2</outr></spotRate></ccDef>\
         <ccDef><cc>G</cc><currency>EUR</currency><pfLink><exch>E</exch><pfId>3</pfId><sc>1</sc></pfLink></ccDef>\n\
         <superSpreads>{between}</superSpreads><interSpreads>{between}{scanning}</interSpreads>\
         <interClearSpreads><clearSpread><spread>1</spread><homeLeg><ec>X</ec><cc>F</cc><rs>A</rs><i>1</i>{rate}</homeLeg>\
         <awayLeg><ec>Y</ec><cc>H</cc><rs>B</rs><i>1</i>{rate}</awayLeg></clearSpread></interClearSpreads>\
         </clearingOrg></pointInTime></spanFile>\n",
        points = points(),
        physical = elements(30.0, "1.0"),
        near = future(11, "202506", 30.0),
        far = future(12, "202509", 29.0),
        other = future(21, "202506", 20.0),
        combined = elements(1.0, "1.0"),
        on_future = options("<undC><exch>E</exch><pfId>2</pfId><cId>11</cId></undC>"),
        on_physical = options("<undC><exch>E</exch><pfId>1</pfId><cId>1</cId></undC>"),
        on_combination = options("<undC><exch>E</exch><pfId>4</pfId><cId>1</cId></undC>"),
        links = links(&["1", "2", "4", "5", "6", "7"]),
    )
    .into_bytes()
}

/// A line with each text beginning at its column, from 1.
fn line(placed: &[(usize, &str)]) -> String {
    let mut line = String::new();
    for (column, text) in placed {
        line = format!("{line:width$}{text}", width = column - 1);
    }
    line + "\n"
}

/// Records 81 and 82 (five digits a value) or 83 and 84 (eight) of one contract.
fn halves(digits: usize, key: &[(usize, &str)], range: f64) -> String {
    let values: Vec<String> = array(range)
        .iter()
        .map(|a| format!("{:0digits$.0}{}", a.abs(), if *a < 0.0 { '-' } else { '+' }))
        .collect();
    let (first, second, after) = if digits == 5 {
        ("81", "82", 97)
    } else {
        ("83", "84", 118)
    };
    let mut one = vec![(1, first)];
    one.extend_from_slice(key);
    let nine = values[..9].concat();
    one.push((55, &nine));
    let mut two = vec![(1, second)];
    two.extend_from_slice(key);
    let seven = values[9..].concat();
    two.push((55, &seven));
    two.push((after, "05000+002000000000325++"));
    line(&one) + &line(&two)
}

/// An expanded `.pa2` file with every record that is read.
pub(crate) fn pa2() -> Vec<u8> {
    let mut out = String::new();
    for fixed in [
        &[
            (1, "0"),
            (3, "CME"),
            (9, "20250601SF"),
            (20, "1814"),
            (24, "202506011814U2YN"),
            (75, "M"),
        ][..],
        &[(1, "T"), (3, "EUR"), (7, "USD"), (11, "0001100000")],
        &[(1, "1"), (3, "CME"), (8, "01")],
        &[
            (1, "2"),
            (3, "CME"),
            (7, "F"),
            (13, "0USD$PND"),
            (23, "F"),
            (33, "FUT"),
            (36, "0"),
            (39, "F"),
            (49, "OOF0"),
            (55, "FC"),
            (65, "CMB0"),
            (71, "FCO"),
            (81, "OOC0"),
            (87, "CASH"),
            (97, "PHY0"),
        ],
        &[
            (1, "2"),
            (3, "CME"),
            (7, "G"),
            (13, "1EUR$FY"),
            (23, "G"),
            (33, "FUT"),
            (36, "1-"),
            (39, "G"),
            (49, "OOP0"),
        ],
        &[
            (1, "3"),
            (3, "F"),
            (9, "10"),
            (11, "0120250620250802202509202612"),
            (69, "100011001250"),
        ],
        &[(1, "3"), (3, "G"), (9, "01"), (69, "100011001250")],
        &[
            (1, "C"),
            (3, "F"),
            (9, "10"),
            (11, "01"),
            (13, "02"),
            (15, "0000075"),
            (22, "000101A000201B"),
        ],
        &[
            (1, "E"),
            (3, "F"),
            (9, "00002"),
            (14, "0000100"),
            (21, "2506   010000A2509   020000B2512   010000A"),
        ],
        &[
            (1, "4"),
            (3, "F"),
            (9, "10"),
            (11, "01"),
            (13, "01202506"),
            (21, "00000050000009"),
            (63, "0000010"),
            (70, "100100100"),
            (79, "1"),
        ],
        &[
            (1, "4"),
            (3, "G"),
            (9, "11"),
            (11, "CASH"),
            (21, "0000007"),
            (63, "0000010"),
        ],
        &[(1, "5"), (3, "GRP"), (13, "F"), (19, "G")],
        &[
            (1, "S"),
            (3, "F"),
            (9, "30"),
            (11, "02"),
            (13, "0120250620250802202509202612"),
            (83, "2"),
            (104, "00000100000020"),
        ],
        &[
            (1, "6"),
            (3, "GRP"),
            (6, "0001"),
            (10, "0500000"),
            (17, "CME"),
            (21, "F"),
            (27, "0010000A"),
            (35, "CME"),
            (39, "G"),
            (45, "0020000B"),
            (89, "20"),
            (101, "W"),
            (122, "Y"),
            (123, "05000000400000"),
        ],
        &[
            (1, "6"),
            (3, "GRP"),
            (6, "0002"),
            (10, "0980000"),
            (17, "CME"),
            (20, "N"),
            (21, "F"),
            (27, "0010000A"),
            (35, "CME"),
            (38, "N"),
            (39, "G"),
            (45, "0010000B"),
            (89, "04"),
            (91, "CMEYF"),
            (110, "S"),
            (111, "0010000"),
            (118, "0001"),
        ],
        &[
            (1, "6"),
            (3, "GRP"),
            (6, "0003"),
            (10, "0000500"),
            (17, "CME"),
            (21, "F"),
            (27, "0010000A"),
            (35, "NYM"),
            (39, "H"),
            (45, "0010000B"),
            (89, "01"),
            (101, "F"),
        ],
        &[
            (1, "B"),
            (3, "CME"),
            (6, "F"),
            (16, "FUT"),
            (19, "202506"),
            (37, "0020000035000000"),
            (53, "00030"),
            (58, "03000"),
            (63, "03300"),
            (68, "00500"),
            (73, "0050000004000"),
            (86, "01000020250620"),
            (110, "WB"),
            (129, "00000010000000"),
        ],
        &[
            (1, "P"),
            (3, "CME"),
            (6, "F"),
            (16, "FUT"),
            (19, "FUTURE"),
            (34, "002"),
            (37, "000"),
            (42, "00000010000000"),
            (66, "USD"),
        ],
        &[
            (1, "P"),
            (3, "CME"),
            (6, "F"),
            (16, "OOF"),
            (34, "002"),
            (37, "002"),
            (42, "00000010000000"),
            (56, "00000100"),
            (66, "USD"),
            (76, "AMER"),
            (117, "EQTY"),
        ],
        &[
            (1, "P"),
            (3, "CME"),
            (6, "G"),
            (16, "OOP"),
            (34, "002"),
            (37, "000"),
            (42, "00000010000000"),
            (66, "EUR"),
            (117, "FUT"),
        ],
        &[
            (1, "P"),
            (3, "CME"),
            (6, "FCO"),
            (16, "OOC"),
            (34, "002"),
            (37, "000"),
            (42, "00000010000000"),
            (66, "USD"),
            (117, "EQTY"),
        ],
        &[(1, "V"), (3, "CME"), (6, "F")],
        &[
            (1, "Z"),
            (3, "CME"),
            (6, "FC"),
            (16, "CAL"),
            (21, "202506"),
            (36, "001A001"),
            (43, "F"),
            (53, "FUT202506"),
            (64, "0000"),
        ],
        &[
            (1, "Z"),
            (3, "CME"),
            (6, "FC"),
            (16, "CAL"),
            (21, "202506"),
            (36, "002B001"),
            (43, "F"),
            (53, "FUT202509"),
            (64, "0000"),
        ],
        &[(1, "X"), (3, "DFC")],
        &[(1, "Y"), (3, "FC"), (13, "FCO")],
    ] {
        out += &line(fixed);
    }
    let of = |product: &'static str, kind: &'static str, month: &'static str| {
        [
            (3, "CME"),
            (6, product),
            (16, product),
            (26, kind),
            (30, month),
        ]
    };
    out += &halves(5, &of("F", "FUT", "202506"), 30.0);
    out += &halves(8, &of("F", "FUT", "202509"), 29.0);
    out += &halves(5, &of("G", "FUT", "202506"), 20.0);
    out += &halves(5, &of("FC", "CMB", "202506"), 1.0);
    out += &halves(5, &of("CASH", "PHY", "000000"), 30.0);
    for (product, kind, right) in [
        ("F", "OOFC", 15.0),
        ("F", "OOFP", -15.0),
        ("G", "OOPC", 10.0),
        ("FCO", "OOCC", 1.0),
    ] {
        let mut key = of(product, kind, "202506").to_vec();
        key.extend([(39, "202506"), (48, "0010000")]);
        out += &halves(5, &key, right);
    }
    out.into_bytes()
}
