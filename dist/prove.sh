#!/bin/sh
# The proof of dist/mailtool: in an empty chroot - no /etc, no /lib, no /dev - it serves, sends itself a message, and reads it
# back by POP3 and by IMAP. Then its size, and the time of `--help` against that of a static hello-world.
# Fails when any of it fails, or is over its bound.
set -eu
cd "$(dirname "$0")"

# Octets of the binary, at most.
size_bound=5000000
# Times a hello-world's time that --help may take, in percent.
time_bound=200
rounds=500

scratch=$(mktemp -d)
server=""
clean() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$scratch"
}
trap clean EXIT
trap 'exit 1' INT TERM

root=$scratch/root
mkdir "$root"
cp mailtool "$root/mailtool"

say() { echo "dist/prove.sh: $*"; }
fail() {
    say "$*" >&2
    [ ! -e "$scratch/log" ] || sed 's/^/    /' "$scratch/log" >&2
    exit 1
}

# chroot needs root; a user namespace makes one of anybody, where the kernel lets it.
if [ "$(id -u)" = 0 ]; then
    inside() { exec chroot "$root" "$@"; }
elif unshare -r true 2>/dev/null; then
    inside() { exec unshare -r chroot "$root" "$@"; }
else
    fail "neither root nor a user namespace, so no chroot: run it as root"
fi

# Everything on a port that the kernel chooses; the server names them on descriptor 3 when it is ready.
(
    inside /mailtool serve --store /store --smtp 0 --submission off --smtps off --pop3 0 --pop3s off --imap 0 --imaps off \
        --ready-fd 3
) >"$scratch/log" 2>&1 3>"$scratch/ready" </dev/null &
server=$!
tries=0
until grep -q '^imap ' "$scratch/ready"; do
    kill -0 "$server" 2>/dev/null || fail "the server ended before it was ready"
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || fail "the server is not ready after ten seconds"
    sleep 0.1
done
port() { sed -n "s/^$1 .*:\([0-9]*\)\$/\1/p" "$scratch/ready"; }

mark="proof $$ $(date +%s)"
(inside /mailtool send --server 127.0.0.1 --port "$(port smtp)" --from bob@localhost --to alice@localhost \
    --subject "$mark" --body "from the chroot") </dev/null || fail "send failed"
MAILTOOL_PASSWORD=alice
export MAILTOOL_PASSWORD
by_pop=$( (inside /mailtool pop --server 127.0.0.1 --port "$(port pop3)" --user alice retr 1) </dev/null) || fail "pop failed"
by_imap=$( (inside /mailtool imap --server 127.0.0.1 --port "$(port imap)" --user alice fetch INBOX 1) </dev/null) ||
    fail "imap failed"
for text in "$by_pop" "$by_imap"; do
    case $text in
    *"Subject: $mark"*"from the chroot"*) ;;
    *) fail "the message did not come back: $text" ;;
    esac
done
left=$(cd "$root" && find . -maxdepth 1 | sort | tr '\n' ' ')
say "in a chroot that held only /mailtool (now: $left): served, sent, read back by POP3 and by IMAP"
kill "$server"
wait "$server" || fail "the server did not stop well"
rm "$scratch/log"
server=""

size=$(wc -c <mailtool)
say "size: $size octets (bound $size_bound)"

printf 'fn main() {\n    println!("Hello, world!");\n}\n' >"$scratch/hello.rs"
host=$(rustc -vV | sed -n 's/^host: //p')
rustc -C opt-level=3 -C panic=abort -C strip=symbols -C target-feature=+crt-static --target "$host" \
    -o "$scratch/hello" "$scratch/hello.rs"
rustc -C opt-level=3 --edition 2024 -o "$scratch/pairs" pairs.rs
medians=$("$scratch/pairs" "$rounds" ./mailtool --help -- "$scratch/hello")
help=$(echo "$medians" | sed -n 1p)
hello=$(echo "$medians" | sed -n 2p)
ratio=$((help * 100 / hello))
say "--help: $help us, a static hello-world: $hello us, ratio $ratio % (bound $time_bound %; medians of $rounds pairs)"

[ "$size" -le "$size_bound" ] || fail "too big"
[ "$ratio" -le "$time_bound" ] || fail "--help is too slow"
