// Loops of multiply-adds that nothing but the arithmetic units limits: what the processor can do at most.
#pragma once

enum platform_fma {
    /// The compiler's baseline for this architecture (SSE, NEON).
    platform_fma_baseline = 0,
    platform_fma_avx2 = 1,
    platform_fma_avx512 = 2,
    /// Products of bfloat16 pairs, summed in float32.
    platform_fma_avx512_bf16 = 3
};

/// Runs `rounds` rounds of twelve independent chains of multiply-adds on this thread. The caller knows that the
/// processor has the instructions.
/// Returns how many floating-point operations that were, a multiply-add counting as two; 0 if this build has no such loop.
double platform_multiply_add(int kind, long rounds);
