#!/bin/sh
# Builds the static musl binary, dist/mailtool, in one of two ways:
#
#   1. rustup has the musl target (`rustup target add x86_64-unknown-linux-musl`): its toolchain builds it. With the source of
#      std beside it (`rustup component add rust-src`) std is built small too; without, the binary is 0.7 MB larger.
#   2. It has not, as on a machine that reaches package registries only: Debian's rustc-web and rust-web-src are unpacked
#      below the target folder (nothing is installed), and cargo builds std for musl from that source.
#
# WAY=rustup or WAY=debian takes one of them without a look at the other. zig, for the C in ring and mimalloc and as linker, and
# cargo-zigbuild come from PyPI.
set -eu
cd "$(dirname "$0")/.."

architecture=$(uname -m)
target=$architecture-unknown-linux-musl
cargo_folder=${CARGO_TARGET_DIR:-target}
mkdir -p "$cargo_folder/musl"
work=$(cd "$cargo_folder/musl" && pwd)
# The caller's are meant for glibc.
unset CARGO_BUILD_TARGET RUSTFLAGS
export CARGO_TARGET_DIR="$work/build"

fail() {
    echo "dist/build-musl.sh: $*" >&2
    exit 1
}

# Nothing unwinds (panic = "abort"), so the tables for it, 0.25 MB, can stay away; those of C too. Sequences of instructions that stand at
# several places become functions where that saves 2 octets or more, looked for five times over; tables of jumps stand only where they are full.
flags="-C target-feature=+crt-static -C force-unwind-tables=no"
outlining="-C llvm-args=-enable-machine-outliner=always -C llvm-args=-outliner-benefit-threshold=2 -C llvm-args=-machine-outliner-reruns=4 -C llvm-args=-optsize-jump-table-density=80"
# mimalloc's books for the GiB that it reserves at once are 43 pages, which every start faults in: 0.1 ms. For 64 MiB they are 3.
export CFLAGS="-fno-asynchronous-unwind-tables -fno-unwind-tables -DMI_DEFAULT_ARENA_RESERVE=65536L"

has_target() {
    command -v rustup >/dev/null 2>&1 && rustup target list --installed 2>/dev/null | grep -qx "$target"
}

# zig and cargo-zigbuild, at the versions that were seen to work, in a folder of their own.
zig() {
    if [ ! -x "$work/python/bin/cargo-zigbuild" ]; then
        rm -rf "$work/python"
        python3 -m venv "$work/python" >/dev/null 2>&1 ||
            fail "python3 with its venv module is needed for zig: apt-get install python3-venv"
        "$work/python/bin/pip" install --quiet --disable-pip-version-check ziglang==0.17.1 cargo-zigbuild==0.24.0 ||
            fail "pip could not install ziglang and cargo-zigbuild"
    fi
    PATH=$work/python/bin:$PATH
    export PATH
}

# Unpacks rustc, its std for this machine and the source of std from Debian; apt checks the signatures.
debian_rust() {
    [ "$architecture" = x86_64 ] || fail "rustc-web is for amd64; add rustup's target $target instead"
    if [ ! -e "$work/debian/complete" ]; then
        command -v apt-get >/dev/null 2>&1 || fail "neither rustup's target $target nor apt is here"
        rm -rf "$work/debian"
        mkdir -p "$work/debian/packages" "$work/debian/root"
        if [ "$(id -u)" = 0 ]; then
            apt-get update -qq || echo "dist/build-musl.sh: apt-get update failed; trying with the lists that are here" >&2
        fi
        standard=$(apt-cache show rustc-web 2>/dev/null | sed -n 's/^Version: \([0-9]*\.[0-9]*\).*/libstd-rust-web-\1/p' | head -n 1)
        [ -n "$standard" ] || fail "apt knows no rustc-web: Debian's security archive must be among its sources"
        llvm=$(apt-cache show "$standard" | sed -n 's/.*\(libllvm[0-9]*\).*/\1/p' | head -n 1)
        (
            cd "$work/debian/packages"
            apt-get download -q rustc-web "$standard" libstd-rust-web-dev rust-web-src $llvm
            for package in *.deb; do
                dpkg-deb -x "$package" ../root
            done
        ) || fail "the packages of Debian's Rust could not be fetched"
        rm -rf "$work/debian/packages"
        touch "$work/debian/complete"
    fi
    libraries=$(dirname "$(ls "$work"/debian/root/usr/lib/*/librustc_driver-*.so)")
    # An unpacked rustc does not find its libraries by itself.
    cat >"$work/debian/rustc" <<EOF
#!/bin/sh
LD_LIBRARY_PATH='$libraries' exec '$work/debian/root/usr/bin/rustc' "\$@"
EOF
    chmod 755 "$work/debian/rustc"
    "$work/debian/rustc" --version
}

# Links as zig does, and besides folds functions of the same code into one, and leaves out the tables for unwinding that assembler
# and zig's C library bring. zig's driver has no options for that, but its lld has: zig links, and says how; then lld links again.
folding_linker() {
    echo 'SECTIONS { /DISCARD/ : { *(.eh_frame) } } INSERT AFTER .text;' >"$work/discard.ld"
    cat >"$work/link" <<EOF
#!/bin/sh
set -eu
if ! said=\$(ZIG_VERBOSE_LINK=1 "\$CC_${architecture}_unknown_linux_musl" "\$@" 2>&1); then
    printf '%s\\n' "\$said" >&2
    exit 1
fi
# Words without blanks: folders of this build, and zig's.
exec '$work/python/bin/python' -m ziglang ld.lld --icf=all --no-eh-frame-hdr '$work/discard.ld' \$(printf '%s\\n' "\$said" | sed -n 's/^ld\.lld //p' | tail -n 1)
EOF
    chmod 755 "$work/link"
}

# Builds std too. -Z needs leave from a stable compiler; zig brings the start files that the target has not. A stripped program that
# aborts on panic has no use for backtraces and their symbols, nor for the places in the sources that a panic would name: without
# them, and with a std that is built to be small, 0.4 MB stay away. What is left of a panic's text without its place helps nobody, so it
# stays away too, 0.1 MB: a panic is SIGILL, and the program says that this is a mistake in it (`src/sys.rs`). Derived Debug says a type's or
# a variant's name only, 0.05 MB; what people read does not come from there. zig makes no static program that could lie anywhere in
# memory, so it need not be compiled for that either: 0.03 MB.
with_std() {
    folding_linker
    flags="$flags -C link-self-contained=no -C linker=$work/link -Z location-detail=none -Z fmt-debug=shallow"
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="$flags" cargo-zigbuild rustc --locked --profile dist -Zbuild-std=std,panic_abort \
        -Zpanic-immediate-abort --config 'profile.dist.panic="immediate-abort"' \
        -Zbuild-std-features=optimize_for_size,backtrace-trace-only --target "$target" --bin mailtool -- \
        -C relocation-model=static -C linker-flavor=gcc $outlining
}

way=${WAY:-$(if has_target; then echo rustup; else echo debian; fi)}
zig
case $way in
rustup)
    if [ -e "$("${RUSTC:-rustc}" --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ]; then
        with_std
    else
        echo "dist/build-musl.sh: std as rustup brings it is built for speed; for a binary of 5 MB: rustup component add rust-src" >&2
        RUSTFLAGS="$flags" cargo-zigbuild rustc --locked --profile dist --target "$target" --bin mailtool -- $outlining
    fi
    ;;
debian)
    debian_rust
    export RUSTC="$work/debian/rustc"
    with_std
    ;;
*) fail "WAY is rustup or debian, not $way" ;;
esac

# Cargo's profile strips.
install -m 755 "$CARGO_TARGET_DIR/$target/dist/mailtool" dist/mailtool
if command -v readelf >/dev/null 2>&1 && readelf -l dist/mailtool | grep -q INTERP; then
    fail "dist/mailtool asks for a dynamic loader: it is not static"
fi
echo "dist/mailtool: built for $target by way of $way"
