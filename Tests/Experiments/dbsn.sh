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
if [ $# -lt 1 ]; then
    sed -n '2,12s/^# \{0,1\}//p' "$0"
    exit 2
fi
here=$(realpath "$(dirname "$0")")
denoised=$(realpath "${2:-$here/../../.build/release/denoised}")
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" "$here/noise.py" "$(realpath "$1")" "$work" --contrast 0.4

# psnr KIND METHOD MODEL: "before after", means over all crops.
psnr() {
    "$denoised" evaluate --noisy "$work/$1" --clean "$work/clean" --method "$2" --model "$3" 2>> "$work/log" |
        sed -n 's/^mean of .*PSNR \([0-9.]*\) → \([0-9.]*\) dB.*/\1 \2/p'
}

echo "| noise | noisy | mean | posterior mean | sigma drawn | sigma found |"
echo "|---|---|---|---|---|---|"
status=0
for pair in gaussian-25:awgn heteroscedastic:heteroscedastic multivariate:multivariate; do
    kind=${pair%:*} model=$work/${pair%:*}.safetensors
    "$denoised" train --method dbsn --noise-model "${pair#*:}" --noisy "$work/$kind" --steps "${STEPS:-600}" --crop 40 \
        --dbsn-rate 1e-3 --out "$model" > "$work/$kind.log" 2>&1 || { cat "$work/$kind.log" >&2; exit 1; }
    found=$(sed -n 's/^noise of \(.*\) of 255.*/\1/p' "$work/$kind.log")
    read -r before mean < <(psnr "$kind" plain "$model")
    read -r _ posterior < <(psnr "$kind" dbsn "$model")
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
