// `inflateInit2` is a macro, which Swift does not import.
#pragma once
#include <zlib.h>

/// Prepares a stream for gzip's format (RFC 1952) alone.
static inline int shim_inflate_gzip(z_stream *stream) { return inflateInit2(stream, 16 + MAX_WBITS); }
