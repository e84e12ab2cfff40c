#!/bin/sh
# install.sh BINARY ROOT: the binary, its man pages and its completions under ROOT (bin, share).
set -eu
binary=$1
root=$2

install -d "$root/bin" "$root/share/man/man1" "$root/share/man/man7" "$root/share/man/man8" \
    "$root/share/man/fr/man1" "$root/share/man/fr/man7" "$root/share/man/fr/man8" "$root/share/bash-completion/completions" \
    "$root/share/zsh/site-functions" "$root/share/fish/vendor_completions.d"
install -m 755 "$binary" "$root/bin/mailtool"
for applet in '' $("$binary" --list); do
    page=mailtool${applet:+-$applet}
    section=1
    [ "$applet" != serve ] || section=8
    # shellcheck disable=SC2086 # no applet, no word
    "$binary" man --lang en $applet >"$root/share/man/man$section/$page.$section"
done
"$binary" man --lang en lab >"$root/share/man/man7/mailtool-lab.7"
"$binary" man --lang fr lab >"$root/share/man/fr/man7/mailtool-lab.7"
for page in codes.1 nc.1 serve.8; do
    "$binary" man --lang fr "${page%.*}" >"$root/share/man/fr/man${page#*.}/mailtool-$page"
done
"$binary" completions bash >"$root/share/bash-completion/completions/mailtool"
"$binary" completions zsh >"$root/share/zsh/site-functions/_mailtool"
"$binary" completions fish >"$root/share/fish/vendor_completions.d/mailtool.fish"
