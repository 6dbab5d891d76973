#include "Peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define TARGET(name) __attribute__((target(name)))
#endif

// Contracts a·x + y to one instruction where there is one.
#pragma STDC FP_CONTRACT ON

// Twelve chains hide the latency of two units; x below 1 keeps the sums finite.
enum { chains = 12 };

static volatile float sink;

#define MULTIPLY_ADD_LOOP(name, attributes, bytes)                                      \
    attributes static double name(long rounds) {                                        \
        typedef float Lanes __attribute__((vector_size(bytes)));                        \
        Lanes sums[chains], x = (Lanes){} + 0.99f, y = (Lanes){} + 0.01f;               \
        for (int i = 0; i < chains; i++) sums[i] = y * (float)i;                        \
        for (long round = 0; round < rounds; round++) {                                 \
            _Pragma("unroll") for (int i = 0; i < chains; i++) sums[i] = sums[i] * x + y; \
        }                                                                               \
        for (int i = 1; i < chains; i++) sums[0] += sums[i];                            \
        sink = sums[0][0];                                                              \
        return 2.0 * (bytes / 4) * chains * (double)rounds;                             \
    }

MULTIPLY_ADD_LOOP(baseline, , 16)

#if defined(__x86_64__)
MULTIPLY_ADD_LOOP(avx2, TARGET("avx2,fma"), 32)
MULTIPLY_ADD_LOOP(avx512, TARGET("avx512f"), 64)

TARGET("avx512f,avx512bw,avx512vl,avx512bf16") static double avx512_bf16(long rounds) {
    __m512 sums[chains];
    const __m512bh x = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.01f), _mm512_set1_ps(0.01f));
    for (int i = 0; i < chains; i++) sums[i] = _mm512_set1_ps((float)i);
    for (long round = 0; round < rounds; round++) {
        _Pragma("unroll") for (int i = 0; i < chains; i++) sums[i] = _mm512_dpbf16_ps(sums[i], x, x);
    }
    for (int i = 1; i < chains; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
    sink = _mm512_reduce_add_ps(sums[0]);
    return 2.0 * 32 * chains * (double)rounds;
}
#endif

double platform_multiply_add(int kind, long rounds) {
    switch (kind) {
        case platform_fma_baseline: return baseline(rounds);
#if defined(__x86_64__)
        case platform_fma_avx2: return avx2(rounds);
        case platform_fma_avx512: return avx512(rounds);
        case platform_fma_avx512_bf16: return avx512_bf16(rounds);
#endif
        default: return 0;
    }
}
