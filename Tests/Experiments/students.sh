#!/usr/bin/env bash
# Quality against seconds: students of the shipped model, each one plain pass, beside the presets of the model itself.
#
#   Tests/Experiments/students.sh CLEAN NOISY PAIRS [BINARY]
#
# CLEAN is a folder of clean photographs, NOISY one of noisy captures; PAIRS holds real pairs, whose names end in _real
# and _mean. NETWORKS (environment) names the students and the steps that each begins anew and learns for, of two crops
# of 120×120; by default the published U-Net, the same at half resolution and the shipped network, for equal time. Minutes
# and seconds are of one processor core, user and system together: those of `train`, and those of `process` for each
# megapixel of the first four of PAIRS, decoding, measuring and encoding included. WORK keeps the models.
set -euo pipefail
source "$(dirname "$0")/common.sh"
usage 3 $#
clean=$(realpath "$1") noisy=$(realpath "$2") pairs=$(realpath "$3") denoised=$(binary ${4:+"$4"})
first=("$pairs"/*_real.*)
first=("${first[@]:0:4}")

# processor LOG COMMAND...: its seconds of user and system; what it prints goes to LOG.
processor() {
    local TIMEFORMAT='%U %S' log=$1 times
    times=$({ time "${@:2}" > "$log" 2>&1; } 2>&1) || { tail -3 "$log" >&2; return 1; }
    awk '{ print $1 + $2 }' <<< "$times"
}

# measure NAME MINUTES MODEL PRESET
measure() {
    local options=(--model "$3" --preset "$4" --threads 1) output kilo before after seconds megapixels
    kilo=$("$denoised" model show "$3" --no-speed | sed -n 's|^kMAC/pixel *||p')
    output=$(mktemp -d -p "$work")
    seconds=$(processor "$output/log" "$denoised" process "${first[@]}" --output "$output" "${options[@]}")
    megapixels=$(sed -n 's/.* (\([0-9]*\) × \([0-9]*\) in .*/\1 \2/p' "$output/log" |
        awk '{ pixels += $1 * $2 } END { print pixels / 1e6 }')
    read -r before after < <(
        psnr --noisy "$pairs" --clean "$pairs" --noisy-suffix _real --clean-suffix _mean "${options[@]}")
    row "$1" "$kilo" "$2" "$(awk "BEGIN { printf \"%.2f\", $seconds / $megapixels }")" \
        "$(awk "BEGIN { printf \"%+.2f\", $after - $before }")"
}

row network "kMAC/pixel" "minutes of training" "seconds per megapixel" "gain in dB"
row --- --- --- --- ---
for preset in fast balanced best; do measure "shipped, \`$preset\`" "" denoised "$preset"; done
for student in ${NETWORKS:-student:550 student-half:1000 nafnet-compact:1000}; do
    network=${student%:*} steps=${student#*:} model=$work/${student%:*}.safetensors
    if [ ! -f "$model.seconds" ]; then
        processor "$model.log" "$denoised" train --distil denoised --clean "$clean" --noisy "$noisy" \
            --network "$network" --steps "$steps" --batch 2 --crop 120 --seed 1 --threads 1 --out "$model" \
            > "$work/seconds"
        mv "$work/seconds" "$model.seconds"
    fi
    measure "$network, $steps steps" "$(awk '{ printf "%.0f", $1 / 60 }' "$model.seconds")" "$model" fast
done
