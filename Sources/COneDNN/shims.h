#pragma once
#include <dnnl.h>

/// A dimension or stride that is given only when the primitive runs.
static inline dnnl_dim_t shim_runtime_dimension(void) { return DNNL_RUNTIME_DIM_VAL; }
static inline int shim_arg_source(void) { return DNNL_ARG_SRC; }
static inline int shim_arg_weights(void) { return DNNL_ARG_WEIGHTS; }
static inline int shim_arg_destination(void) { return DNNL_ARG_DST; }
static inline int shim_arg_scratch(void) { return DNNL_ARG_SCRATCHPAD; }
