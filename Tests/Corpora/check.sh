#!/usr/bin/env bash
# Puts every file of some folders through `denoised process`, one process each, and tells what became of it.
#
#   Tests/Corpora/check.sh FOLDER... > outcomes.tsv
#
# Every file must end in an output, or in exit code 1 and one line on standard error that names it, within 60 seconds
# and 4 GiB of address space. Anything else is listed and makes this script fail. DENOISED names the program, MODEL
# the model (small ones are quicker; the result does not matter).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
denoised=${DENOISED:-$here/../../.build/release/denoised}
seconds=${SECONDS_LIMIT:-60}
kibibytes=${KIBIBYTES_LIMIT:-4194304}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Says done, failed, crash, hang or unclear for the file $1; only lines of progress may accompany an output.
outcome() {
    rm -rf "$work/out"
    (
        ulimit -v "$kibibytes"
        ulimit -c 0
        SWIFT_BACKTRACE=enable=no timeout --kill-after=5 "$seconds" "$denoised" process "$1" --output "$work/out" \
            ${MODEL:+--model "$MODEL"} --preset balanced --method plain --tile 512 --threads 1 --json
    ) > "$work/stdout" 2> "$work/stderr" < /dev/null
    local code=$? files
    files=$(find "$work/out" -type f 2> /dev/null | wc -l)
    case $code in
    0) [ "$files" = 1 ] && ! grep -qv ' left$' "$work/stderr" && echo done || echo unclear ;;
    1)
        [ "$files" = 0 ] && [ "$(wc -l < "$work/stderr")" = 1 ] && grep -qF -- "$(basename "$1")" "$work/stderr" \
            && echo failed || echo unclear
        ;;
    124 | 137) echo hang ;;
    *) echo crash ;;
    esac
}

total=0
bad=0
declare -A counts
for folder in "$@"; do
    while IFS= read -r -d '' file; do
        began=$(date +%s%N)
        result=$(outcome "$file")
        took=$((($(date +%s%N) - began) / 1000000))
        printf '%s\t%d ms\t%s\t%s\n' "$result" "$took" "$file" "$(head -c 300 "$work/stderr" | tr '\n' '|')"
        key="$(dirname "$file")"$'\t'"$result"
        counts[$key]=$((${counts[$key]:-0} + 1))
        total=$((total + 1))
        case $result in done | failed) ;; *) bad=$((bad + 1)) ;; esac
    done < <(find "$folder" -type f -print0 | sort -z)
done
for key in "${!counts[@]}"; do printf '%s\t%d\n' "$key" "${counts[$key]}"; done | sort >&2
echo "$total files, $bad neither done nor failed in one line" >&2
[ "$bad" = 0 ]
