/// The C library, for whoever imports `Platform`: the only place that names it.
@_exported public import Glibc
