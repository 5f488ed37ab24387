//! The pairing against an enumeration of every way to fill the spread and to count the other strategies.

use margincore_reg_t::pairing::{Kept, Scratch};
use margincore_reg_t::program::{Item, Program};
use margincore_reg_t::question::{Allowed, Holding, Method, Question, Total};
use margincore_reg_t::rules::{Numbers, Right, Series, Shares, When};

fn numbers() -> Numbers {
    Numbers {
        stock_initial: 0.5,
        stock_maintenance: 0.25,
        short_stock_initial: 0.5,
        short_stock_maintenance: 0.3,
        short_stock_floor: 5.0,
        low_price: 5.0,
        low_price_maintenance: 1.0,
        low_price_floor: 2.5,
        long_option_loan: 0.25,
        loan_after_months: 9,
        protective_strike: 0.1,
        conversion_strike: 0.1,
        box_difference: 0.5,
        gross_includes_short_sale: true,
        itm_in_gross: false,
        carry_at_strike: true,
        equal_wings: false,
    }
}

const ALLOWED: Allowed = Allowed {
    two_sided: true,
    boxes: true,
    one_expiry: false,
    cash_settled_only: false,
    offsets: true,
};

/// A fixed-seed generator (xorshift), so that a failing book can be named.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// Prices of one convex, time-increasing surface: no static arbitrage between the series of a book.
fn price(right: Right, strike: f64, months: i64) -> f64 {
    let width = 6.0 * (months as f64).sqrt();
    let call = {
        let x = (100.0 - strike) / width;
        // Softplus: convex in strike, slope between -1 and 0, above intrinsic.
        width * (1.0 + (2.0 * x).exp()).ln() / 2.0
    };
    match right {
        Right::Call => call,
        Right::Put => call - 100.0 + strike,
    }
}

fn series(right: Right, strike: f64, months: i64, base: f64, boxes: bool) -> Series {
    let mut series = Series {
        family: 0,
        right,
        strike,
        units: 100.0,
        expiry: months,
        nature: 0,
        delivery: 0,
        delivered: vec![(0, 100.0)].into(),
        boxes,
        cash_settled: boxes,
        long_dated: months > 9,
        listed: true,
        multiplier: 100.0,
        mark: price(right, strike, months) * 100.0,
        spot_value: 10_000.0,
        strike_value: strike * 100.0,
        naked: 0.0,
        forbidden: false,
    };
    series.naked = series.uncovered(base, base / 2.0);
    series
}

/// The whole book's answer.
fn solve(scratch: &mut Scratch, question: &Question<'_>, holdings: &[Holding]) -> Total {
    let mut totals = Vec::new();
    scratch
        .solve(question, holdings, &Kept::default(), &mut totals, None)
        .unwrap();
    let mut sum = Total::default();
    for total in totals {
        sum.amounts.add(&total.amounts, 1.0);
        sum.bound += total.bound;
        sum.nodes += total.nodes;
    }
    sum
}

struct Book {
    table: Vec<Series>,
    shares: Vec<Shares>,
    holdings: Vec<Holding>,
}

fn book(random: &mut Random) -> Book {
    let base = [0.20, 0.15, 0.40, 0.60][random.below(4) as usize];
    let boxes = random.below(3) == 0;
    let tracked = boxes && random.below(2) == 0;
    let count = 2 + random.below(4) as usize;
    let mut table: Vec<Series> = Vec::new();
    let mut holdings = Vec::new();
    let mut ways = 1.0;
    while table.len() < count {
        let right = if random.below(2) == 0 {
            Right::Call
        } else {
            Right::Put
        };
        let strike = 80.0 + 5.0 * random.below(9) as f64;
        let months = [1, 2, 12][random.below(if boxes { 2 } else { 3 }) as usize];
        if table
            .iter()
            .any(|s| s.right == right && s.strike == strike && s.expiry == months)
        {
            continue;
        }
        table.push(series(right, strike, months, base, boxes));
        let most = if ways > 2000.0 { 2 } else { 20 };
        let quantity = 1 + random.below(most) as i64;
        ways *= quantity as f64 + 1.0;
        let long = random.below(2) == 0;
        holdings.push(Holding {
            row: table.len() as u32 - 1,
            stock: false,
            long: if long { quantity } else { 0 },
            short: if long { 0 } else { quantity },
        });
    }
    let mut shares = Vec::new();
    if random.below(2) == 0 {
        // A tenth of the index where the fund tracks it, the stock itself elsewhere.
        let (family, price, tracks) = if tracked {
            (1, 10.0, Some(0))
        } else {
            (0, 100.0, None)
        };
        shares.push(Shares {
            family,
            unit: 1.0,
            price,
            leverage: 1.0,
            non_margin: false,
            tracks,
        });
        let lots = 100 * (1 + random.below(if tracked { 40 } else { 6 }) as i64);
        let long = random.below(2) == 0;
        holdings.push(Holding {
            row: 0,
            stock: true,
            long: if long { lots } else { 0 },
            short: if long { 0 } else { lots },
        });
    }
    Book {
        table,
        shares,
        holdings,
    }
}

/// Cheapest use of the columns from `first` on, by trying every count of each.
fn columns(program: &Program, first: usize, left: &mut [f64]) -> f64 {
    if first == program.columns.len() {
        return 0.0;
    }
    let column = &program.columns[first];
    let mut best = f64::INFINITY;
    let mut times = 0.0;
    loop {
        let change = column.change * times + columns(program, first + 1, left);
        if change < best {
            best = change;
        }
        if column
            .parts()
            .iter()
            .any(|&(i, amount)| left[i as usize] + 1e-9 < amount)
        {
            break;
        }
        for &(i, amount) in column.parts() {
            left[i as usize] -= amount;
        }
        times += 1.0;
    }
    for &(i, amount) in column.parts() {
        left[i as usize] += amount * times;
    }
    best
}

/// Equity required by trying every count of every member of the spread; `None` if there are too many ways.
fn enumerate(book: &Book, when: When, most: f64) -> Option<f64> {
    let n = numbers();
    let mut program = Program::default();
    let mut holdings = book.holdings.clone();
    holdings.sort_by_key(|h| h.stock);
    for h in &holdings {
        for (count, long) in [(h.long, true), (h.short, false)] {
            if count > 0 {
                let alone = if h.stock {
                    book.shares[h.row as usize].alone(long, when, &n)
                } else {
                    book.table[h.row as usize].alone(long, &n)
                };
                program.items.push(Item {
                    row: h.row as usize,
                    stock: h.stock,
                    long,
                    count: count as f64,
                    alone_equity: alone.equity(),
                    alone,
                    forbidden: false,
                });
            }
        }
    }
    program.recognise(
        &book.table,
        &book.shares,
        &n,
        ALLOWED,
        when,
        Method::Optimal,
    );
    let mut ways = 1.0;
    for m in &program.members {
        ways *= program.items[m.item as usize].count + 1.0;
    }
    for c in &program.columns {
        let fits = c
            .parts()
            .iter()
            .map(|&(i, a)| (program.items[i as usize].count / a).floor());
        ways *= fits.fold(f64::INFINITY, f64::min) + 1.0;
    }
    if ways > most {
        return None;
    }
    let base: f64 = program.items.iter().map(|i| i.alone_equity * i.count).sum();
    let mut counts = vec![0.0; program.members.len()];
    let mut best = f64::INFINITY;
    loop {
        if program.balanced(&counts, &book.table) {
            let mut left: Vec<f64> = program.items.iter().map(|i| i.count).collect();
            let mut change = 0.0;
            for (m, &count) in program.members.iter().zip(&counts) {
                left[m.item as usize] -= count;
                change += m.change * count;
            }
            for spread in 0..program.spreads as u32 {
                change += program.maximum_loss(spread, &counts, &book.table);
            }
            change += columns(&program, 0, &mut left);
            if change < best {
                best = change;
            }
        }
        // The next vector of counts, like an odometer.
        let mut k = 0;
        loop {
            if k == counts.len() {
                return Some(base + best);
            }
            if counts[k] < program.items[program.members[k].item as usize].count {
                counts[k] += 1.0;
                break;
            }
            counts[k] = 0.0;
            k += 1;
        }
    }
}

fn question<'a>(book: &'a Book, numbers: &'a Numbers, pairing: Method, when: When) -> Question<'a> {
    Question {
        series: &book.table,
        shares: &book.shares,
        numbers,
        allowed: ALLOWED,
        pairing,
        when,
        node_limit: 100_000,
    }
}

#[test]
fn the_optimum_is_the_best_of_all_ways() {
    let mut random = Random(0x5eed);
    let mut scratch = Scratch::default();
    let n = numbers();
    let (mut compared, mut with_stock, mut long_dated, mut beaten) = (0, 0, 0, 0);
    while compared < 2_000 {
        let book = book(&mut random);
        for when in [When::Initial, When::Maintenance] {
            let Some(expected) = enumerate(&book, when, 60_000.0) else {
                continue;
            };
            let found = solve(
                &mut scratch,
                &question(&book, &n, Method::Optimal, when),
                &book.holdings,
            );
            let equity = found.amounts.equity();
            assert!(
                (equity - expected).abs() < 1e-6 * (1.0 + expected.abs()),
                "{equity} is not {expected}: {:?} {:?}",
                book.holdings,
                book.table
            );
            assert!(equity - found.bound < 1e-6 * (1.0 + equity.abs()));
            let greedy = solve(
                &mut scratch,
                &question(&book, &n, Method::Greedy, when),
                &book.holdings,
            );
            let two = solve(
                &mut scratch,
                &question(&book, &n, Method::TwoLeg, when),
                &book.holdings,
            );
            assert!(greedy.amounts.equity() > equity - 1e-6);
            assert!(two.amounts.equity() > equity - 1e-6);
            compared += 1;
            with_stock += usize::from(!book.shares.is_empty());
            long_dated += usize::from(book.table.iter().any(|s| s.long_dated));
            beaten += usize::from(greedy.amounts.equity() > equity + 1e-6);
        }
    }
    println!(
        "{compared} books agree: {with_stock} with stock, {long_dated} long-dated; greedy dearer in {beaten}"
    );
}

#[test]
fn neither_the_order_of_legs_nor_the_scale_matters() {
    let mut random = Random(0xabcd);
    let mut scratch = Scratch::default();
    let n = numbers();
    for _ in 0..300 {
        let book = book(&mut random);
        let ask = question(&book, &n, Method::Optimal, When::Maintenance);
        let once = solve(&mut scratch, &ask, &book.holdings);
        let mut reversed = book.holdings.clone();
        reversed.reverse();
        assert_eq!(solve(&mut scratch, &ask, &reversed), once);
        // Doubling a book never costs more than twice (more ways to pair), and never less than the bound says.
        let double: Vec<Holding> = book
            .holdings
            .iter()
            .map(|h| Holding {
                long: 2 * h.long,
                short: 2 * h.short,
                ..*h
            })
            .collect();
        let twice = solve(&mut scratch, &ask, &double).amounts.equity();
        assert!(twice <= 2.0 * once.amounts.equity() + 1e-6);
    }
}

#[test]
fn more_longs_and_merged_books_never_cost_more() {
    let mut random = Random(0x1234);
    let mut scratch = Scratch::default();
    let n = numbers();
    for _ in 0..300 {
        let book = book(&mut random);
        let ask = question(&book, &n, Method::Optimal, When::Maintenance);
        let mut equity =
            |holdings: &[Holding]| solve(&mut scratch, &ask, holdings).amounts.equity();
        let whole = equity(&book.holdings);
        let (a, b) = book.holdings.split_at(book.holdings.len() / 2);
        assert!(whole <= equity(a) + equity(b) + 1e-6);
        if let Some(k) = book.holdings.iter().position(|h| !h.stock && h.long > 0) {
            let mut more = book.holdings.clone();
            more[k].long += 1;
            let cost = book.table[more[k].row as usize].mark;
            assert!(equity(&more) <= whole + cost + 1e-6);
        }
    }
}

#[test]
fn a_node_limit_gives_a_bound_below_the_answer() {
    let mut random = Random(0x77);
    let mut scratch = Scratch::default();
    let n = numbers();
    for _ in 0..200 {
        let book = book(&mut random);
        let mut ask = question(&book, &n, Method::Optimal, When::Maintenance);
        let exact = solve(&mut scratch, &ask, &book.holdings).amounts.equity();
        ask.node_limit = 1;
        let cut = solve(&mut scratch, &ask, &book.holdings);
        assert!(cut.bound <= exact + 1e-6 && exact <= cut.amounts.equity() + 1e-6);
    }
}
