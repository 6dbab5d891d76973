// Only the C interface: the library is C++.
#pragma once
#include <stddef.h>
#include <snappy-c.h>
