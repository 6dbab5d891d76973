import Synchronization
package import Tensors

#if ONEDNN
    import COneDNN
#endif

/// `multiply` for products of a few shapes that come again and again, as attention's: oneDNN compiles a kernel for each
/// shape, faster than those for all shapes.
///
/// Only for shapes of whole multiples of 32: there are few of them. The others take the general kernels, so that the bits
/// of a product are a function of its shape here as well.
package func multiplyFixedShape(_ a: Factor, _ b: Factor, into c: Operand, adding: Bool = false) {
    #if ONEDNN
        let isLibrarys = a.operand.precision == .bfloat16 || ProductLibrary.float32 == .oneDNN
        if isLibrarys, [c.rows, c.columns, a.columns].allSatisfy({ $0 > 0 && $0 % 32 == 0 }) {
            precondition(a.columns == b.rows && a.rows == c.rows && b.columns == c.columns, "shapes do not fit")
            return RecurringProducts.borrow { $0.run(Shape(a, b, c, adding), a, b, c) }
        }
    #endif
    multiply(a, b, into: c, adding: adding)
}

#if ONEDNN
    /// Compiled kernels, handles and scratch memory, for one product at a time.
    private final class RecurringProducts: @unchecked Sendable {
        // Unchecked because `borrow` gives each to one thread at a time.
        private var kernels: [Shape: Kernel] = [:]
        private var scratch = Vector<UInt8>(count: 0)

        private static let idle = Mutex<[RecurringProducts]>([])

        /// Calls `body` with one that nobody else has meanwhile. There are as many as products at a time, and they stay:
        /// threads that come and go find compiled kernels.
        static func borrow(_ body: (RecurringProducts) -> Void) {
            let products = idle.withLock { $0.popLast() } ?? RecurringProducts()
            body(products)
            idle.withLock { $0.append(products) }
        }

        func run(_ shape: Shape, _ a: Factor, _ b: Factor, _ c: Operand) {
            let kernel = kernels[shape] ?? make(shape)
            unsafe kernel.point(a.operand.address, b.operand.address, c.address, scratch.pointer)
            unsafe execute(kernel.primitive, kernel.arguments)
        }

        private func make(_ shape: Shape) -> Kernel {
            let kernel = Kernel(shape)
            if kernel.scratchBytes > scratch.count { scratch = Vector(count: kernel.scratchBytes) }
            kernels[shape] = kernel
            return kernel
        }
    }

    /// What a kernel is compiled for.
    private struct Shape: Hashable {
        struct Layout: Hashable {
            let rows: Int
            let columns: Int
            let stride: Int
            let isTransposed: Bool
            let precision: Precision

            init(_ factor: Factor) {
                rows = factor.rows
                columns = factor.columns
                stride = max(factor.operand.stride, factor.operand.columns)
                isTransposed = factor.isTransposed
                precision = factor.operand.precision
            }

            var description: shim_matrix {
                MatrixProducts.description(
                    rows: Int64(rows), columns: Int64(columns), stride: Int64(stride), isTransposed: isTransposed,
                    precision == .float32 ? dnnl_f32 : dnnl_bf16)
            }
        }

        let a: Layout
        let b: Layout
        let c: Layout
        let adding: Bool

        init(_ a: Factor, _ b: Factor, _ c: Operand, _ adding: Bool) {
            self.a = Layout(a)
            self.b = Layout(b)
            self.c = Layout(c.factor)
            self.adding = adding
        }
    }

    /// A primitive for one shape, with handles that are pointed at the numbers of a call.
    @safe private struct Kernel {
        let primitive: dnnl_primitive_t
        let arguments: [dnnl_exec_arg_t]
        let scratchBytes: Int

        init(_ shape: Shape) {
            let (a, b, c) = (shape.a.description, shape.b.description, shape.c.description)
            let plan = unsafe matmulPlan(a, b, c, adding: shape.adding, ownScratch: true)
            defer { unsafe dnnl_primitive_desc_destroy(plan) }
            unsafe primitive = unsafe libraryPrimitive(plan)
            let scratch = unsafe libraryScratch(plan)
            scratchBytes = unsafe scratch.bytes
            unsafe arguments = unsafe [
                dnnl_exec_arg_t(arg: shim_arg_source(), memory: libraryMemory(a, nil)),
                dnnl_exec_arg_t(arg: shim_arg_weights(), memory: libraryMemory(b, nil)),
                dnnl_exec_arg_t(arg: shim_arg_destination(), memory: libraryMemory(c, nil)),
                dnnl_exec_arg_t(arg: shim_arg_scratch(), memory: scratch.memory),
            ]
        }

        func point(
            _ a: UnsafeMutableRawPointer, _ b: UnsafeMutableRawPointer, _ c: UnsafeMutableRawPointer,
            _ scratch: UnsafeMutableRawPointer
        ) {
            let addresses = unsafe [a, b, c, scratch]
            for index in unsafe addresses.indices {
                check(
                    unsafe dnnl_memory_set_data_handle(arguments[index].memory, addresses[index]),
                    "dnnl_memory_set_data_handle")
            }
        }
    }

    extension Operand {
        fileprivate var stride: Int {
            switch self {
            case .float32(let matrix): matrix.stride
            case .bfloat16(let matrix): matrix.stride
            }
        }

        fileprivate var address: UnsafeMutableRawPointer {
            switch self {
            case .float32(let matrix): unsafe UnsafeMutableRawPointer(matrix.pointer)
            case .bfloat16(let matrix): unsafe UnsafeMutableRawPointer(matrix.pointer)
            }
        }
    }
#endif
