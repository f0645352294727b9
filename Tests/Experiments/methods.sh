#!/usr/bin/env bash
# What each method makes of each kind of noise, as a table of PSNR in dB.
#
#   Tests/Experiments/methods.sh CLEAN [REAL-NOISY REAL-CLEAN] [BINARY]
#
# CLEAN is a folder of clean photographs in PNG; the middle 256×256 pixels of the first six are used. Gaussian noise of
# 15, 25 and 50 of 255, Poisson noise of 50 photons at white, Gaussian noise that grows with brightness (standard deviation
# 10 + 30·x of 255) and Gaussian noise that the channels share are drawn once, clamped and rounded to 16 bits. REAL-NOISY
# and REAL-CLEAN are pairs by sorted order. STEPS (environment, default 3000) is how long D-BSN learns, from all the noisy
# crops of its kind; PYTHON (default python3) is a Python with numpy and Pillow.
set -euo pipefail
if [ $# -lt 1 ]; then
    sed -n '2,12s/^# \{0,1\}//p' "$0"
    exit 2
fi
here=$(realpath "$(dirname "$0")")
clean=$(realpath "$1")
real_noisy="" real_clean=""
if [ $# -ge 3 ]; then real_noisy=$(realpath "$2") real_clean=$(realpath "$3"); shift 2; fi
denoised=$(realpath "${2:-$here/../../.build/release/denoised}")
steps=${STEPS:-3000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" "$here/noise.py" "$clean" "$work"

# psnr NOISY CLEAN OPTIONS: "before after", means over all pairs; dashes where the method failed.
psnr() {
    "$denoised" evaluate --noisy "$1" --clean "$2" "${@:3}" 2>> "$work/log" |
        sed -n 's/^mean of .*PSNR \([0-9.]*\) → \([0-9.]*\) dB.*/\1 \2/p' | grep . || echo "- -"
}

# row CELL...
row() { printf '|'; printf ' %s |' "$@"; echo; }

# measure NAME NOISY CLEAN NOISE-MODEL STRIDE
measure() {
    local before after zero bayes
    read -r before after < <(psnr "$2" "$3" --preset balanced)
    read -r _ zero < <(psnr "$2" "$3" --method zsn2n)
    "$denoised" train --method dbsn --noise-model "$4" --stride "$5" --noisy "$2" --steps "$steps" --crop 80 \
        --dbsn-rate 1e-3 --out "$work/$1.safetensors" >> "$work/log" 2>&1
    read -r _ bayes < <(psnr "$2" "$3" --method dbsn --model "$work/$1.safetensors")
    row "$1" "$before" "$after" "$zero" "$bayes"
}

row noise noisy "shipped model, balanced" zsn2n "dbsn, $steps steps"
row --- --- --- --- ---
for kind in gaussian-15 gaussian-25 gaussian-50; do measure "$kind" "$work/$kind" "$work/clean" awgn 1; done
for kind in poisson-50 heteroscedastic; do measure "$kind" "$work/$kind" "$work/clean" heteroscedastic 1; done
measure multivariate "$work/multivariate" "$work/clean" multivariate 1
if [ -n "$real_noisy" ]; then measure real "$real_noisy" "$real_clean" heteroscedastic 2; fi
