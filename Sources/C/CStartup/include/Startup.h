// A program that depends on this target is prepared before the constructors of its libraries run:
//
// - The signals that are requests are blocked. OpenBLAS starts threads in a constructor, and a thread that does not block a
//   signal would take it.
// - OpenBLAS is told to start no threads: ranks bring their own, and without memory for them it waits forever.
// - Less address space than OpenBLAS then takes for its buffers ends the program, because OpenBLAS asks for them forever.
#pragma once

/// Does the above if that has not happened yet: on systems without `.preinit_array`. First line of `main`.
void prepare_for_libraries(void);
