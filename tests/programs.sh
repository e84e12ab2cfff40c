#!/bin/sh
# Installs the Debian programs that the tests drive, where that is allowed: as root, with apt. What is missing afterwards is
# named, with each test that skips for want of it. Always succeeds: a test without its program says so and passes.
set -u
cd "$(dirname "$0")"
# Debian has servers, and sendmail, in here, and not every user has it in the path.
PATH=$PATH:/usr/sbin:/sbin
export PATH

# The lines of apt.txt whose program is not installed.
missing() {
    sed '/^#/d' apt.txt | while read -r program package; do
        command -v "$program" >/dev/null 2>&1 || [ -e "$program" ] || echo "$program $package"
    done
}

# Nothing that is installed here may start a daemon: of Postfix, the tests want its load generator and no more.
# invoke-rc.d asks this file first; one that a site keeps there itself stays.
install() {
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT INT TERM
    fi
    export DEBIAN_FRONTEND=noninteractive
    echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
    # shellcheck disable=SC2086 # a list of packages
    if ! apt-get install -y --no-install-recommends $1; then
        apt-get update && apt-get install -y --no-install-recommends $1
    fi
}

packages=$(missing | cut -d' ' -f2 | sort -u | tr '\n' ' ')
[ -n "$packages" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "tests/programs.sh: installing $packages"
    install "$packages" >&2 || echo "tests/programs.sh: apt could not install all of it" >&2
else
    echo "tests/programs.sh: not root, or no apt: nothing is installed"
fi

missing | while read -r program package; do
    echo "tests/programs.sh: $program (Debian: $package) is missing; skipped without it:"
    # A test asks `have("program", ...)` in its body, or in a helper of its file.
    awk -v want="have(\"$program\"" '
        /^ *(pub )?fn / { match($0, /fn [a-z0-9_]+/); name = substr($0, RSTART + 3, RLENGTH - 3) }
        index($0, want) { print "    " FILENAME ": " name; found = 1 }
        END { if (!found) print "    none" }
    ' ./*.rs
done
exit 0
