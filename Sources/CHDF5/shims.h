// HDF5's identifiers are macros over globals that exist only after H5open(): one inline function each.
#pragma once
#include <hdf5.h>
