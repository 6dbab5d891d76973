// The calls whose form differs between oneDNN 2 and 3, and macros that Swift does not import. In version 2 a memory
// descriptor is a value that functions read by address, and an operation has a descriptor of its own; in version 3 the
// former is a handle, and the latter is gone.
#pragma once
#include <dnnl.h>

/// A matrix as a primitive sees it. Extents and strides count elements, or are `shim_runtime_dimension()`.
typedef struct {
    dnnl_dim_t rows, columns, row_stride, column_stride;
    dnnl_data_type_t type;
} shim_matrix;

/// A dimension or stride that is given only when the primitive runs.
static inline dnnl_dim_t shim_runtime_dimension(void) { return DNNL_RUNTIME_DIM_VAL; }
static inline int shim_arg_source(void) { return DNNL_ARG_SRC; }
static inline int shim_arg_weights(void) { return DNNL_ARG_WEIGHTS; }
static inline int shim_arg_destination(void) { return DNNL_ARG_DST; }
static inline int shim_arg_scratch(void) { return DNNL_ARG_SCRATCHPAD; }

#if DNNL_VERSION_MAJOR >= 3
#define SHIM_READ(descriptor) (descriptor)
#else
#define SHIM_READ(descriptor) (&(descriptor))
#endif

/// Makes the library's descriptor of a matrix. Release it with `shim_forget`, also after a failure.
static inline dnnl_status_t shim_describe(dnnl_memory_desc_t *descriptor, shim_matrix matrix) {
    const dnnl_dims_t extents = {matrix.rows, matrix.columns};
    const dnnl_dims_t strides = {matrix.row_stride, matrix.column_stride};
#if DNNL_VERSION_MAJOR >= 3
    *descriptor = NULL;
    return dnnl_memory_desc_create_with_strides(descriptor, 2, extents, matrix.type, strides);
#else
    return dnnl_memory_desc_init_by_strides(descriptor, 2, extents, matrix.type, strides);
#endif
}

static inline void shim_forget(dnnl_memory_desc_t *descriptor) {
#if DNNL_VERSION_MAJOR >= 3
    if (*descriptor) dnnl_memory_desc_destroy(*descriptor);
#else
    (void)descriptor;
#endif
}

/// Makes the library's handle of a matrix at an address.
static inline dnnl_status_t shim_memory(
    dnnl_memory_t *memory, shim_matrix matrix, dnnl_engine_t engine, void *address) {
    dnnl_memory_desc_t descriptor;
    dnnl_status_t status = shim_describe(&descriptor, matrix);
    if (status == dnnl_success) status = dnnl_memory_create(memory, SHIM_READ(descriptor), engine, address);
    shim_forget(&descriptor);
    return status;
}

/// Adds the product to what the destination holds.
static inline dnnl_status_t shim_append_sum(dnnl_post_ops_t operations) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_sum(operations, 1, 0, dnnl_data_type_undef);
#else
    return dnnl_post_ops_append_sum(operations, 1);
#endif
}

/// Plans `c = a · b`.
static inline dnnl_status_t shim_matmul_plan(
    dnnl_primitive_desc_t *plan, dnnl_engine_t engine, shim_matrix a, shim_matrix b, shim_matrix c,
    const_dnnl_primitive_attr_t attributes) {
    dnnl_memory_desc_t source, weights, destination;
    dnnl_status_t described[] = {
        shim_describe(&source, a), shim_describe(&weights, b), shim_describe(&destination, c)};
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < 3 && status == dnnl_success; i++) status = described[i];
#if DNNL_VERSION_MAJOR >= 3
    if (status == dnnl_success)
        status = dnnl_matmul_primitive_desc_create(plan, engine, source, weights, NULL, destination, attributes);
#else
    dnnl_matmul_desc_t matmul;
    if (status == dnnl_success) status = dnnl_matmul_desc_init(&matmul, &source, &weights, NULL, &destination);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(plan, &matmul, attributes, engine, NULL);
#endif
    shim_forget(&source);
    shim_forget(&weights);
    shim_forget(&destination);
    return status;
}
