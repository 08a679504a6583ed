# The menu. Every entry is one line; what is longer lives in a script.

# Show this menu
default:
    @just --list --unsorted

# Run the product on an SQLite file in ./data
run *args:
    cargo run -p server -- serve {{args}}

# Run all tests, in both forms
test *args:
    ./test {{args}}

# Run the whole gate, as CI does
ci *args:
    .ci/run {{args}}

# Check the house rules and the lints
lint:
    .ci/house && cargo clippy --workspace --all-targets -- -D warnings

# Format everything
fmt:
    cargo fmt --all

# Write openapi/openapi.json from the code
openapi:
    cargo run -q -p server -- openapi > openapi/openapi.json

# Measure live editing under load
bench *args:
    cargo run --release -p benches --bin socket-load -- {{args}}

# Measure the job queue with two workers
bench-jobs *args:
    cargo run --release -p benches --bin job-load -- {{args}}

# Fuzz one target (needs nightly and cargo-fuzz)
fuzz target *args:
    cargo +nightly fuzz run {{target}} {{args}}

# Kill the servers under load, many times
kill rounds="500":
    ./test --only full --rounds {{rounds}} -- kill
