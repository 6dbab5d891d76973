import Tensors

#if ONEDNN
    import COneDNN

    /// oneDNN's matmul primitive for every product there is: shapes and strides are given only when it runs, so a
    /// handful of primitives, made once, serve all.
    ///
    /// With run-time shapes the library takes its packed GEMM, which is within a few percent of its kernels for fixed
    /// shapes from 64 rows on, and needs no scratch memory from us.
    @safe struct OneDNN: @unchecked Sendable {
        // Unchecked because primitives are immutable once made, which the library's handles do not say.
        /// By `Key.index`.
        private let primitives: [dnnl_primitive_t]

        // Three, each made when it is first needed: a processor may have kernels for one and not for another.
        private static let float32 = OneDNN(dnnl_f32, dnnl_f32)
        private static let bfloat16 = OneDNN(dnnl_bf16, dnnl_bf16)
        private static let bfloat16ToFloat32 = OneDNN(dnnl_bf16, dnnl_f32)

        /// What distinguishes primitives.
        private struct Key {
            var factors: dnnl_data_type_t
            var product: dnnl_data_type_t
            var transposeA: Bool
            var transposeB: Bool
            var adding: Bool

            static func all(_ factors: dnnl_data_type_t, _ product: dnnl_data_type_t) -> [Key] {
                (0..<8).map {
                    Key(
                        factors: factors, product: product, transposeA: $0 & 4 != 0, transposeB: $0 & 2 != 0,
                        adding: $0 & 1 != 0)
                }
            }

            var index: Int { (transposeA ? 4 : 0) + (transposeB ? 2 : 0) + (adding ? 1 : 0) }
        }

        private init(_ factors: dnnl_data_type_t, _ product: dnnl_data_type_t) {
            unsafe primitives = unsafe Key.all(factors, product).map(Self.primitive)
        }

        private static func primitive(_ key: Key) -> dnnl_primitive_t {
            let any = shim_runtime_dimension()
            let plan = unsafe matmulPlan(
                description(rows: any, columns: any, stride: any, isTransposed: key.transposeA, key.factors),
                description(rows: any, columns: any, stride: any, isTransposed: key.transposeB, key.factors),
                description(rows: any, columns: any, stride: any, isTransposed: false, key.product), adding: key.adding)
            defer { unsafe dnnl_primitive_desc_destroy(plan) }
            return unsafe libraryPrimitive(plan)
        }

        /// `C ← A·B`, or `C ← C + A·B` if `adding`; A or B may be stored transposed.
        static func multiply<Input, Output>(
            _ a: Matrix<Input>, _ transposeA: Bool, _ b: Matrix<Input>, _ transposeB: Bool, into c: Matrix<Output>,
            adding: Bool
        ) {
            let key = Key(
                factors: type(Input.self), product: type(Output.self), transposeA: transposeA, transposeB: transposeB,
                adding: adding)
            let library = key.factors == dnnl_f32 ? float32 : key.product == dnnl_f32 ? bfloat16ToFloat32 : bfloat16
            unsafe library.run(
                key, memory(a, transposeA, key.factors), memory(b, transposeB, key.factors),
                memory(c, false, key.product))
        }

        private func run(_ key: Key, _ a: dnnl_memory_t, _ b: dnnl_memory_t, _ c: dnnl_memory_t) {
            unsafe execute(
                primitives[key.index],
                [
                    dnnl_exec_arg_t(arg: shim_arg_source(), memory: a),
                    dnnl_exec_arg_t(arg: shim_arg_weights(), memory: b),
                    dnnl_exec_arg_t(arg: shim_arg_destination(), memory: c),
                ])
            unsafe [a, b, c].forEach { unsafe _ = dnnl_memory_destroy($0) }
        }

        private static func type<Element>(_: Element.Type) -> dnnl_data_type_t {
            Element.self == Float.self ? dnnl_f32 : dnnl_bf16
        }

        /// A stored matrix under the shape it has as a factor.
        private static func memory<Element>(
            _ matrix: Matrix<Element>, _ isTransposed: Bool, _ type: dnnl_data_type_t
        ) -> dnnl_memory_t {
            let (rows, columns) = (Int64(matrix.rows), Int64(matrix.columns))
            let shape = description(
                rows: isTransposed ? columns : rows, columns: isTransposed ? rows : columns,
                stride: Int64(max(matrix.stride, matrix.columns, 1)), isTransposed: isTransposed, type)
            return unsafe libraryMemory(shape, matrix.pointer)
        }

        static var kernelSet: String {
            let version = unsafe dnnl_version()!.pointee
            let instructions = String(dnnl_get_effective_cpu_isa().rawValue, radix: 16)
            return unsafe "oneDNN \(version.major).\(version.minor).\(version.patch) ISA 0x\(instructions)"
        }

        static var hasWideVectors: Bool {
            dnnl_get_effective_cpu_isa().rawValue & dnnl_cpu_isa_avx512_core.rawValue
                == dnnl_cpu_isa_avx512_core.rawValue
        }
    }

#else
    /// Stands where oneDNN was not there at build time; `ProductLibrary` says so before anybody multiplies.
    enum OneDNN {
        static let hasWideVectors = false
        static let kernelSet = "built without oneDNN"

        static func multiply<Input, Output>(
            _ a: Matrix<Input>, _ transposeA: Bool, _ b: Matrix<Input>, _ transposeB: Bool, into c: Matrix<Output>,
            adding: Bool
        ) {
            preconditionFailure("built without oneDNN")
        }
    }
#endif
