// A program that depends on this target has the signals that are requests blocked before the constructors of its libraries
// run: OpenBLAS starts threads in one of them, and a thread that does not block a signal would take it.
#pragma once

/// Holds requests if that has not happened yet: on systems without `.preinit_array`. First line of `main`.
void hold_signals(void);
