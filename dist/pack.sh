#!/bin/sh
# Packs dist/mailtool with its man pages, completions and papers: a tarball, and SHA256SUMS beside it. The same tree gives the
# same tarball, octet for octet.
set -eu
cd "$(dirname "$0")"

version=$(sed -n 's/^version = "\(.*\)"/\1/p' ../Cargo.toml | head -n 1)
name=mailtool-$version-$(uname -m)-linux-musl
when=@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}

rm -rf "$name" "$name.tar.gz"
./install.sh ./mailtool "$name"
for paper in README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE; do
    if [ -e "../$paper" ]; then
        install -m 644 "../$paper" "$name/$paper"
    fi
done
tar --sort=name --mtime="$when" --owner=0 --group=0 --numeric-owner -cf - "$name" | gzip -9n >"$name.tar.gz"
rm -rf "$name"
sha256sum mailtool "$name.tar.gz" >SHA256SUMS
cat SHA256SUMS
