#include "HeldSignals.h"
#include "CPlatform.h"

void hold_signals(void) { platform_hold_requests(); }

#ifdef __linux__
// The functions of `.preinit_array` run before every constructor (System V ABI, "Initialization and Termination").
__attribute__((section(".preinit_array"), used)) static void (*const hold_early)(void) = hold_signals;
#endif
