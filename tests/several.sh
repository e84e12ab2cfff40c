#!/bin/sh
# Runs the test programs that `cargo test ARGUMENTS` would run, several at once: most of them wait for a clock or a peer most of the
# time. What one prints is shown when it has ended, as a whole, and how long it took; the exit code is 1 when one of them failed.
set -eu
cd "$(dirname "$0")/.."
results=$(mktemp -d)
export results
trap 'rm -rf "$results"' EXIT INT TERM
cargo test "$@" --no-run
# Nothing is left to build: it names the programs only.
cargo test "$@" --no-run 2>&1 | sed -n 's/^ *Executable .*(\(.*\))$/\1/p' >"$results/programs"
[ -s "$results/programs" ] || { echo "tests/several.sh: cargo names no test program" >&2; exit 1; }

# Under nohup, or in the background of a script, signals are ignored, and what tests start inherits that, but is ended by signals.
defaults=
if env --default-signal true 2>/dev/null; then
    defaults="env --default-signal"
fi
# shellcheck disable=SC2016,SC2086 # the inner shell expands them; two words
xargs -P "$(nproc)" -n 1 $defaults sh -c '
    name=$(basename "$1")
    begin=$(date +%s)
    "$1" >"$results/$name" 2>&1 || echo "$name" >>"$results/failed"
    { echo "     Ran $1 in $(($(date +%s) - begin)) s"; cat "$results/$name"; } >"$results/$name.shown"
    cat "$results/$name.shown"
' sh <"$results/programs"
if [ -e "$results/failed" ]; then
    echo "tests/several.sh: failed:" >&2
    sed 's/^/    /' "$results/failed" >&2
    exit 1
fi
