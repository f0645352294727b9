# What the experiments in bash share; each sources it after `set -euo pipefail`, with its own arguments.
#
# Sets `here`, this folder; `python` (environment: PYTHON, default python3), one with numpy and Pillow; and `work`, a
# folder for what is made: WORK (environment) where it is set, which is kept, else one that is removed at the end.
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
python=${PYTHON:-python3}

# usage LEAST COUNT: prints the head of the script unless it got at least so many arguments.
usage() {
    if [ "$2" -lt "$1" ]; then
        sed -n '2,/^set /{/^# \{0,1\}/!d;s///;p}' "$0"
        exit 2
    fi
}

# binary [PATH]: the program, from a release build unless it is named.
binary() { realpath "${1:-$here/../../.build/release/denoised}"; }

# row CELL...
row() { printf '|'; printf ' %s |' "$@"; echo; }

# psnr OPTIONS: "before after", means over all pairs; dashes where the method failed, whose reason is in $work/log.
psnr() {
    "$denoised" evaluate "$@" 2>> "$work/log" |
        sed -n 's/^mean of .*PSNR \([0-9.]*\) → \([0-9.]*\) dB.*/\1 \2/p' | grep . || echo "- -"
}

if [ -n "${WORK:-}" ]; then
    mkdir -p "$WORK"
    work=$(realpath "$WORK")
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
