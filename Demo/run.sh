#!/usr/bin/env bash
# One photograph through the daemon: inbox, output, ledger row, and a picture of before and after.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
denoised=$(realpath "${1:-$here/../.build/release/denoised}")
work=${DEMO_FOLDER:-$here/../demo}
rm -rf "$work"
mkdir -p "$work/inbox" "$work/output"
work=$(realpath "$work")
cp "$here/receipt.jpg" "$work/inbox/"

echo "Denoising $work/inbox/receipt.jpg (a phone at ISO 500) with the preset best: 18 passes."
"$denoised" run --oneshot --inbox "$work/inbox" --output "$work/output" --state "$work/state"

output=$(find "$work/output" -type f -name 'receipt-denoised*' | head -n 1)
"$denoised" compare "$work/inbox/receipt.jpg" "$output" --out "$work/before-after.png" > /dev/null
echo
echo "The ledger's row:"
"$denoised" show 1 --state "$work/state"
echo
echo "original      $work/inbox/receipt.jpg"
echo "denoised      $output"
echo "before/after  $work/before-after.png"
