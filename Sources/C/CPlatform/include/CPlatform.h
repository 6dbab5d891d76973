// Operating-system calls that Swift cannot import because they are variadic or macros: one inline function each.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "BuildTarget.h"
#include "Limits.h"
#include "Peak.h"
#include "Signals.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

/// Asks the kernel to kill this process when its parent dies; 0 on success, -1 where there is no such call.
static inline int platform_die_with_parent(void) {
#ifdef __linux__
    return prctl(PR_SET_PDEATHSIG, SIGKILL);
#else
    return -1;
#endif
}

/// How many processors this process may run on, or -1 where the system does not tell.
static inline int platform_allowed_processors(void) {
#ifdef __linux__
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -1;
#else
    return -1;
#endif
}

/// Whether this process may run on processor `number`; -1 where the system does not tell.
static inline int platform_may_use_processor(int number) {
#ifdef __linux__
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return -1;
    return CPU_ISSET(number, &set) ? 1 : 0;
#else
    (void)number;
    return -1;
#endif
}

/// Lets the calling thread run on the given processors alone; where the system refuses, it stays where it was.
static inline void platform_use_processors(const int *numbers, int count) {
#ifdef __linux__
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < count; i++)
        if (numbers[i] >= 0 && numbers[i] < CPU_SETSIZE) CPU_SET(numbers[i], &set);
    (void)sched_setaffinity(0, sizeof set, &set);
#else
    (void)numbers;
    (void)count;
#endif
}

/// Makes this thread treat subnormal floats as zero, as results and as operands: gradual underflow costs
/// over a hundred cycles an operation. The setting is per thread.
static inline void platform_flush_subnormals(void) {
#if defined(__x86_64__)
    unsigned int mxcsr = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(mxcsr | 0x8040u);
#elif defined(__aarch64__)
    unsigned long fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | (1ul << 24)));
#endif
}

/// Makes OpenMP regions that libraries open from this thread run on this thread alone; nothing to do where no library
/// brought OpenMP.
void platform_single_openmp_thread(void);

/// `√x`, as one instruction: Swift's own calls libm for negative operands to set errno, and a loop with that call in it
/// is not vectorized.
static inline float platform_square_root(float x) {
#if __has_builtin(__builtin_elementwise_sqrt)
    return __builtin_elementwise_sqrt(x);
#else
    return __builtin_sqrtf(x);
#endif
}

/// Lets the sibling hyper-thread run while this one waits in a loop.
static inline void platform_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
