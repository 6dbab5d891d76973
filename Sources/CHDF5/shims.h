// HDF5's identifiers are macros over globals that exist only after H5open(): one inline function each.
#pragma once
#include <hdf5.h>

/// Whether the library was built with MPI.
static inline int shim_is_parallel(void) {
#ifdef H5_HAVE_PARALLEL
    return 1;
#else
    return 0;
#endif
}

static inline hid_t shim_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t shim_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t shim_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t shim_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t shim_dataset_transfer(void) { return H5P_DATASET_XFER; }
static inline hid_t shim_link_create(void) { return H5P_LINK_CREATE; }
static inline hid_t shim_default(void) { return H5P_DEFAULT; }
static inline hid_t shim_all(void) { return H5S_ALL; }

static inline hid_t shim_memory_float32(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t shim_memory_float64(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t shim_memory_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t shim_memory_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t shim_memory_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t shim_stored_float32(void) { return H5T_IEEE_F32LE; }
static inline hid_t shim_stored_float64(void) { return H5T_IEEE_F64LE; }
static inline hid_t shim_stored_int32(void) { return H5T_STD_I32LE; }
static inline hid_t shim_stored_int64(void) { return H5T_STD_I64LE; }
static inline hid_t shim_stored_uint8(void) { return H5T_STD_U8LE; }
static inline hid_t shim_string(void) { return H5T_C_S1; }

static inline unsigned shim_replace(void) { return H5F_ACC_TRUNC; }
static inline unsigned shim_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned shim_read_write(void) { return H5F_ACC_RDWR; }
static inline hid_t shim_default_errors(void) { return H5E_DEFAULT; }
