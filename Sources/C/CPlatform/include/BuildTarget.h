// What instructions the compiler was allowed to use. Inline, so that the flags are those of the Swift file that asks.
#pragma once

enum {
    platform_target_baseline = 0,
    platform_target_avx2 = 1,
    platform_target_avx512 = 2,
    platform_target_neon = 3
};

static inline int platform_build_target(void) {
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
    return platform_target_avx512;
#elif defined(__AVX2__) && defined(__FMA__)
    return platform_target_avx2;
#elif defined(__aarch64__)
    return platform_target_neon;
#else
    return platform_target_baseline;
#endif
}
