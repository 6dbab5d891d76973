// A program that depends on this target is prepared before the constructors of its libraries run:
//
// - The signals that are requests are blocked. OpenBLAS starts threads in a constructor, and a thread that does not block a
//   signal would take it.
// - Under a limit on addresses or data (`ulimit -v`, `-d`), OpenBLAS is kept from starting threads, which ranks do not use: without
//   memory for their buffers it waits forever, at the start or at the end of the program. It reads this from the environment
//   alone, and the C library takes over the environment after this code, so the program starts itself anew.
// - Less memory than OpenBLAS then takes for its own buffer ends the program with 69: it, too, is waited for forever.
#pragma once

/// Blocks the signals if that has not happened yet: on systems without `.preinit_array`. First line of `main`.
void prepare_for_libraries(void);
