// HDF5's identifiers are macros over globals that exist only after H5open(): one inline function each. From 1.12 on, types
// and functions that changed are macros as well, over numbered names.
#pragma once
#include <hdf5.h>
#include <string.h>

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

/// Whether every link on the way from `group` to `path` is a hard one; soft and external links lead elsewhere. Negative
/// if there is no such link.
static inline int shim_links_are_hard(hid_t group, const char *path) {
    char part[2048];
    size_t length = strlen(path);
    if (length >= sizeof part) return -1;
    for (size_t end = 1; end <= length; end++) {
        if (path[end] != '/' && path[end] != 0) continue;
        memcpy(part, path, end);
        part[end] = 0;
        H5L_info_t info;
        if (H5Lget_info(group, part, &info, H5P_DEFAULT) < 0) return -1;
        if (info.type != H5L_TYPE_HARD) return 0;
    }
    return 1;
}

/// Whether the data of a dataset lie in its file, in one piece: not in other files, not virtual, not beyond the end.
/// Negative if the library fails.
static inline int shim_data_lie_inside(hid_t dataset) {
    hid_t creation = H5Dget_create_plist(dataset);
    if (creation < 0) return -1;
    int others = H5Pget_external_count(creation);
    H5D_layout_t layout = H5Pget_layout(creation);
    H5Pclose(creation);
    if (others != 0) return 0;
    if (layout == H5D_COMPACT) return 1;
    if (layout != H5D_CONTIGUOUS) return 0;
    hid_t file = H5Iget_file_id(dataset);
    if (file < 0) return -1;
    hsize_t bytes = 0, size = H5Dget_storage_size(dataset);
    haddr_t offset = H5Dget_offset(dataset);
    int answer = H5Fget_filesize(file, &bytes) < 0 ? -1 : offset != HADDR_UNDEF && offset <= bytes && size <= bytes - offset;
    H5Fclose(file);
    return answer;
}

/// What `shim_visit_links` calls for every link of a group: with the group, the link's name, facts about it, and `data`.
typedef H5L_iterate_t shim_link_visitor;

/// Visits the links of a group by name, until the visitor answers something else than 0.
static inline herr_t shim_visit_links(hid_t group, shim_link_visitor visitor, void *data) {
    return H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visitor, data);
}

/// Whether the member `name` is a group, and not a dataset: 1, 0, or negative for an error.
static inline int shim_is_group(hid_t parent, const char *name) {
#if H5_VERSION_GE(1, 12, 0)
    H5O_info2_t info;
    herr_t status = H5Oget_info_by_name3(parent, name, &info, H5O_INFO_BASIC, H5P_DEFAULT);
#else
    H5O_info_t info;
    herr_t status = H5Oget_info_by_name(parent, name, &info, H5P_DEFAULT);
#endif
    return status < 0 ? -1 : info.type == H5O_TYPE_GROUP;
}
