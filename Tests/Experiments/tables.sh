#!/usr/bin/env bash
# The AMSNet paper's tables 3 and 4 at small scale: networks of 20 to 50 kMAC per pixel, trained for minutes.
#
#   Tests/Experiments/tables.sh CLEAN [STEPS] [BINARY]
#
# CLEAN is a folder of at least six clean photographs in PNG. Gaussian noise of 50 of 255 is added to the middle 256×256
# pixels of the first six. Training sees the noisy crops alone; the clean ones measure. Within a table all networks train
# equally long, at one learning rate and on the same crops, pixel-downsampled at stride 5, and denoise at stride 2, as
# published. PYTHON (environment, default python3) is a Python with numpy and Pillow; WORK keeps crops and models.
#
# Table 3: a network without a blind spot (D_AS) that is trained against its own input learns to copy it, noise and all;
# under AMSNet's masks it denoises. That takes many steps, so these are four times as many as STEPS (default 1000), on
# crops of a quarter of the pixels. Table 4: five networks, trained for STEPS. "Noise kept" is the share of the noise that
# is left in the output, by projection: 1 for a copy, 0 where what is wrong has nothing to do with the noise.
set -euo pipefail
source "$(dirname "$0")/common.sh"
usage 1 $#
photographs=$(realpath "$1") steps=${2:-1000} denoised=$(binary ${3:+"$3"})
cd "$work"
noisy=gaussian-50
[ -d $noisy ] || "$python" "$here/noise.py" "$photographs" . clean $noisy

# train NAME NETWORK CROP OBJECTIVE COUNT: the seed names the crops, so that all networks see the same ones.
train() {
    [ -f "$1.safetensors" ] || "$denoised" train --noisy $noisy --network "$2-compact" --crop "$3" "--$4" "$5" \
        --rate 3e-3 --batch 1 --stride 2 --seed 1 --out "$1.safetensors" > "$1.log" 2>&1 || { cat "$1.log" >&2; exit 1; }
}

# each REFERENCE OPTIONS: "before after" for each crop; a copy of the reference has none.
each() {
    "$denoised" evaluate --noisy $noisy --clean "$1" "${@:2}" --json 2> /dev/null |
        sed -n 's/^{"file":"[^"]*",.*"noisy_psnr":\([^,]*\),.*"psnr":\([^,]*\),.*/\1 \2/p' | sed 's/null/999/g'
}

# figures OPTIONS: "before after gain kept", means over all crops.
figures() {
    paste <(each clean "$@") <(each $noisy "$@") | awk '
        { noise = 10 ^ (-$1 / 10); error = 10 ^ (-$2 / 10); removed = 10 ^ (-$4 / 10)
          before += $1; after += $2; kept += (noise + error - removed) / (2 * noise) }
        END { printf "%.2f %.2f %+.2f %.2f\n", before / NR, after / NR, (after - before) / NR, kept / NR }'
}

echo "Table 3: blind-spot training and AMSNet on both backbones, $((4 * steps)) steps"
echo
row network training noisy denoised "gain in dB" "noise kept"
row --- --- --- --- --- ---
for network in d-a d-as; do
    train $network-blind $network 40 blind-spot-steps $((4 * steps))
    row $network "its own input" $(figures --model $network-blind.safetensors --method plain)
    train $network-amsnet $network 40 steps $((4 * steps))
    row $network AMSNet $(figures --model $network-amsnet.safetensors --preset balanced)
done

echo
echo "Table 4: AMSNet-P with five networks, $steps steps; seconds for one pass of 256×256"
echo
row network "gain in dB" "noise kept" parameters kMAC/pixel seconds
row --- --- --- --- --- ---
for network in restormer deamnet nafnet unet dncnn; do
    train $network $network 80 steps "$steps"
    read -r _ _ gain kept < <(figures --model $network.safetensors --preset balanced)
    fact() { "$denoised" model show $network.safetensors | sed -n "s|^$1 *||p"; }
    seconds=$("$denoised" bench --model $network.safetensors --json | sed 's/.*"seconds":\([0-9.e-]*\).*/\1/')
    row $network "$gain" "$kept" "$(fact parameters)" "$(fact kMAC/pixel)" "$(printf %.3f "$seconds")"
done
