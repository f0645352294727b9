#!/usr/bin/env bash
# The AMSNet paper's tables 3 and 4 at small scale: networks of 20 to 50 kMAC per pixel, trained for minutes.
#
#   Tests/Experiments/tables.sh NOISY CLEAN [STEPS] [BINARY]
#
# NOISY and CLEAN are folders of equally many photographs that pair up in sorted order, at least 160×160 pixels each.
# Training sees the noisy ones alone; the clean ones measure. STEPS (default 1000) count for every network alike.
#
# Table 3: in the paper, a network without a blind spot (D_AS) that is trained against its own input learns to copy it,
# noise and all, and under AMSNet's masks denoises; a thousand steps do not get that far. Table 4: five networks, trained
# equally long on the same crops.
set -euo pipefail
if [ $# -lt 2 ]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 2
fi
noisy=$(realpath "$1") clean=$(realpath "$2") steps=${3:-1000}
denoised=$(realpath "${4:-$(dirname "$0")/../../.build/release/denoised}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# train NAME NETWORK STEPS-OPTION RATE: the seed names the crops, so that all networks see the same ones.
train() {
    "$denoised" train --noisy "$noisy" --network "$2" "$3" "$steps" --rate "$4" --batch 2 --crop 80 --seed 1 \
        --out "$1.safetensors" > "$1.log" 2>&1 || { cat "$1.log" >&2; exit 1; }
}

# gain NAME OPTIONS: "before after gain", in dB over all pairs.
gain() {
    "$denoised" evaluate --noisy "$noisy" --clean "$clean" --model "$1.safetensors" "${@:2}" 2> /dev/null |
        sed -n 's/^mean of .*PSNR \([0-9.]*\) → \([0-9.]*\) dB (\([-+0-9.]*\)).*/\1 \2 \3/p'
}

# row CELL...
row() { printf '|'; printf ' %s |' "$@"; echo; }

echo "Table 3: blind-spot training and AMSNet on both backbones, $steps steps"
echo
row network training noisy denoised "gain in dB"
row --- --- --- --- ---
for network in d-a d-as; do
    train "$network-blind" "$network-compact" --blind-spot-steps 3e-3
    read -r before after difference < <(gain "$network-blind" --method plain)
    row "$network" "its own input" "$before" "$after" "$difference"
    train "$network-amsnet" "$network-compact" --steps 3e-3
    read -r before after difference < <(gain "$network-amsnet" --preset balanced)
    row "$network" AMSNet "$before" "$after" "$difference"
done

echo
echo "Table 4: AMSNet-P with five networks, $steps steps; seconds for one pass of 256×256"
echo
row network "gain in dB" parameters kMAC/pixel seconds
row --- --- --- --- ---
for network in restormer deamnet nafnet unet dncnn; do
    train "$network" "$network-compact" --steps 1e-3
    read -r _ _ difference < <(gain "$network" --preset balanced)
    fact() { "$denoised" model show "$network.safetensors" | sed -n "s|^$1 *||p"; }
    seconds=$("$denoised" bench --model "$network.safetensors" --json | sed 's/.*"seconds":\([0-9.e-]*\).*/\1/')
    row "$network" "$difference" "$(fact parameters)" "$(fact kMAC/pixel)" "$(printf %.3f "$seconds")"
done
