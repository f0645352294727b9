// Every kernel in one instruction set: included once per file, which defines TABLE and TABLE_NAME beside the widths.
#pragma once
#include "block_stacks.h"
#include "convolution_weights.h"
#include "depthwise.h"
#include "depthwise_band.h"
#include "elementwise.h"
#include "gelu.h"
#include "gelu_packed.h"
#include "mixing.h"
#include "mixing_weights.h"
#include "norms.h"
#include "norms_packed.h"
#include "phases.h"
#include "reductions.h"
#include "softmax.h"
#include "training.h"
#include "winograd.h"

const dn_kernels TABLE = {
    .name = TABLE_NAME,
    .product_error = 0x1p-24f,
    .depthwise3x3 = depthwise3x3,
    .depthwise3x3_weights = depthwise3x3_weights,
    .depthwise3x3_band = depthwise3x3_band,
    .mix_columns = MIX_COLUMNS,
    .packed_weights = packed_weights,
    .pack_weights = pack_weights,
    .pack_pixels = pack_pixels,
    .pack_transposed = pack_transposed,
    .mix_packed = mix_packed,
    .convolution_gradient_scratch = convolution_gradient_scratch,
    .convolution3x3_gradient = convolution3x3_gradient,
    .mix_channels_weights = mix_channels_weights,
    .convolution_sizes = winograd_sizes,
    .convolution_weights = winograd_weights,
    .convolution3x3 = winograd3x3,
    .norm_biasfree = norm_biasfree,
    .norm_biasfree_backward = norm_biasfree_backward,
    .norm_affine = norm_affine,
    .norm_biasfree_packed = norm_biasfree_packed,
    .norm_affine_packed = norm_affine_packed,
    .norm_affine_backward = norm_affine_backward,
    .gelu = gelu,
    .gelu_sum = gelu_sum,
    .gelu_backward = gelu_backward,
    .gelu_gate = gelu_gate,
    .gelu_gate_backward = gelu_gate_backward,
    .gelu_packed = gelu_packed,
    .gelu_gate_packed = gelu_gate_packed,
    .add = add,
    .multiply = multiply,
    .axpy = axpy,
    .scale_add = scale_add,
    .scale_offset = scale_offset,
    .leaky_relu = leaky_relu,
    .leaky_relu_backward = leaky_relu_backward,
    .select = select_by_mask,
    .filter_block_row = filter_block_row,
    .part_phases = part_phases,
    .join_phases = join_phases,
    .sum = sum,
    .dot = dot,
    .softmax = softmax,
    .softmax_backward = softmax_backward,
    .adamw = adamw,
    .masked_l1 = masked_l1,
    .random_mask = random_mask,
};
