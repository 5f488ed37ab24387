//! Prints the JSON Schema of every rulebook's parameters: `make parameters` writes it into the Python package.

fn main() {
    let schema = margincore::schema::rulebooks();
    println!(
        "{}",
        serde_json::to_string_pretty(&schema).expect("a schema is JSON")
    );
}
