#!/usr/bin/env bash
# Whether a short training of D-BSN tells noise from uncertainty, on each of its three kinds of noise.
#
#   Tests/Experiments/dbsn.sh CLEAN [BINARY]
#
# CLEAN is a folder of clean photographs in PNG; the middle 256×256 pixels of the first six, at 0.4 of their contrast so
# that no noise is cut off at black and white, get Gaussian noise of 25 of 255, noise that grows with brightness, and noise
# that the channels share. The compact D-BSN learns from the noisy crops alone for STEPS (environment, default 600) steps,
# a minute and a half of one core for each kind. The posterior mean must lie above the mean, and what the network takes for
# noise within 10 % of what was drawn: otherwise the line says so, and the exit status is 1. PYTHON (default python3) is a
# Python with numpy and Pillow.
set -euo pipefail
source "$(dirname "$0")/common.sh"
usage 1 $#
denoised=$(binary ${2:+"$2"})
"$python" "$here/noise.py" "$(realpath "$1")" "$work" --contrast 0.4

row noise noisy mean "posterior mean" "sigma drawn" "sigma found"
row --- --- --- --- --- ---
status=0
for pair in gaussian-25:awgn heteroscedastic:heteroscedastic multivariate:multivariate; do
    kind=${pair%:*} model=$work/${pair%:*}.safetensors
    "$denoised" train --method dbsn --noise-model "${pair#*:}" --noisy "$work/$kind" --steps "${STEPS:-600}" --crop 40 \
        --dbsn-rate 1e-3 --out "$model" > "$work/$kind.log" 2>&1 || { cat "$work/$kind.log" >&2; exit 1; }
    found=$(sed -n 's/^noise of \(.*\) of 255.*/\1/p' "$work/$kind.log")
    crops=(--noisy "$work/$kind" --clean "$work/clean" --model "$model")
    read -r before mean < <(psnr "${crops[@]}" --method plain)
    read -r _ posterior < <(psnr "${crops[@]}" --method dbsn)
    "$python" - "$work/truth.json" "$kind" "$before" "$mean" "$posterior" $found <<'END' || status=1
import json, sys
kind, before, mean, posterior = sys.argv[2:6]
drawn, found = json.load(open(sys.argv[1]))[kind], [float(x) for x in sys.argv[6:]]
print(f"| {kind} | {before} | {mean} | {posterior} | {' '.join(f'{x:.1f}' for x in drawn)} | {' '.join(sys.argv[6:])} |")
holds = float(posterior) > float(mean) and all(abs(f / d - 1) < 0.1 for f, d in zip(found, drawn))
if not holds:
    print(f"{kind}: the ranking does not hold", file=sys.stderr)
sys.exit(not holds)
END
done
exit $status
