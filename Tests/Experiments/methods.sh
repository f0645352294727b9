#!/usr/bin/env bash
# What each method makes of each kind of noise, as a table of PSNR in dB. ZS-N2N's trainings take most of the time.
#
#   Tests/Experiments/methods.sh CLEAN [REAL-NOISY REAL-CLEAN] [BINARY]
#
# CLEAN is a folder of clean photographs in PNG; the middle 64×64 pixels of the first two are measured on. Gaussian
# noise of 15, 25 and 50 of 255, Poisson noise of 50 photons at white, Gaussian noise that grows with brightness
# (standard deviation 10 + 30·x of 255) and Gaussian noise that the channels share are drawn once, clamped and rounded to
# 16 bits. REAL-NOISY and REAL-CLEAN are pairs by sorted order, of which two are taken in equal distances. ZS-N2N begins
# with the same weights for each kind; D-BSN learns for STEPS steps (environment, default 400) from the noisy middle
# 256×256 pixels of six photographs. SIZE and COUNT change what is measured on, WORK keeps it. PYTHON (default python3) is
# a Python with numpy and Pillow.
set -euo pipefail
source "$(dirname "$0")/common.sh"
usage 1 $#
clean=$(realpath "$1")
real=()
if [ $# -ge 3 ]; then real=(--real "$(realpath "$2")" "$(realpath "$3")"); shift 2; fi
denoised=$(binary ${2:+"$2"})
steps=${STEPS:-400}
for part in "learn 256 6" "measure ${SIZE:-64} ${COUNT:-2}"; do
    read -r name size count <<< "$part"
    "$python" "$here/noise.py" "$clean" "$work/$name" --size "$size" --count "$count" "${real[@]}"
done

# measure KIND CLEAN NOISE-MODEL STRIDE
measure() {
    local before fast best zero bayes pairs=(--noisy "$work/measure/$1" --clean "$work/measure/$2")
    read -r before fast < <(psnr "${pairs[@]}" --preset fast)
    read -r _ best < <(psnr "${pairs[@]}" --preset best)
    read -r _ zero < <(psnr "${pairs[@]}" --method zsn2n --seed 1)
    "$denoised" train --method dbsn --noise-model "$3" --stride "$4" --noisy "$work/learn/$1" --steps "$steps" \
        --crop 40 --dbsn-rate 1e-3 --out "$work/$1.safetensors" >> "$work/log" 2>&1
    read -r _ bayes < <(psnr "${pairs[@]}" --method dbsn --model "$work/$1.safetensors")
    row "$1" "$before" "$fast" "$best" "$zero" "$bayes"
}

row noise noisy "shipped model, fast" "best" zsn2n "dbsn, $steps steps"
row --- --- --- --- --- ---
for kind in gaussian-15 gaussian-25 gaussian-50; do measure "$kind" clean awgn 1; done
for kind in poisson-50 heteroscedastic; do measure "$kind" clean heteroscedastic 1; done
measure multivariate clean multivariate 1
if [ ${#real[@]} -gt 0 ]; then measure real real-clean heteroscedastic 2; fi
