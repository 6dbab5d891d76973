#if ONEDNN
    import COneDNN

    /// The processor, as the library has it: one for all threads, to the end of the program.
    enum LibraryEngine {
        nonisolated(unsafe) static let shared: dnnl_engine_t = {
            var engine: dnnl_engine_t?
            check(unsafe dnnl_engine_create(&engine, dnnl_cpu, 0), "dnnl_engine_create")
            return unsafe engine!
        }()
    }

    /// A plan for `C ← A·B`, or `C ← C + A·B` if `adding`, on factors and a product as described.
    /// - Parameter ownScratch: whether whoever executes it brings its scratch memory
    func matmulPlan(
        _ a: shim_matrix, _ b: shim_matrix, _ c: shim_matrix, adding: Bool, ownScratch: Bool = false
    ) -> dnnl_primitive_desc_t {
        var attributes: dnnl_primitive_attr_t?, sum: dnnl_post_ops_t?
        check(unsafe dnnl_primitive_attr_create(&attributes), "dnnl_primitive_attr_create")
        defer { unsafe dnnl_primitive_attr_destroy(attributes) }
        if ownScratch {
            check(
                unsafe dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user),
                "dnnl_primitive_attr_set_scratchpad_mode")
        }
        if adding {
            check(unsafe dnnl_post_ops_create(&sum), "dnnl_post_ops_create")
            check(unsafe shim_append_sum(sum), "dnnl_post_ops_append_sum")
            check(unsafe dnnl_primitive_attr_set_post_ops(attributes, sum), "dnnl_primitive_attr_set_post_ops")
        }
        var plan: dnnl_primitive_desc_t?
        check(
            unsafe shim_matmul_plan(&plan, LibraryEngine.shared, a, b, c, attributes), "the plan of a matrix product")
        if let sum = unsafe sum { unsafe dnnl_post_ops_destroy(sum) }
        return unsafe plan!
    }

    /// What executes a plan, compiled for its shape if that is known.
    func libraryPrimitive(_ plan: dnnl_primitive_desc_t) -> dnnl_primitive_t {
        var primitive: dnnl_primitive_t?
        check(unsafe dnnl_primitive_create(&primitive, plan), "dnnl_primitive_create")
        return unsafe primitive!
    }

    /// Row-major numbers, or column-major if `isTransposed`, consecutive rows (columns) `stride` elements apart.
    func description(
        rows: Int64, columns: Int64, stride: Int64, isTransposed: Bool, _ type: dnnl_data_type_t
    ) -> shim_matrix {
        shim_matrix(
            rows: rows, columns: columns, row_stride: isTransposed ? 1 : stride,
            column_stride: isTransposed ? stride : 1, type: type)
    }

    /// The library's handle for numbers of ours. Destroy it.
    func libraryMemory(_ matrix: shim_matrix, _ address: UnsafeMutableRawPointer?) -> dnnl_memory_t {
        var memory: dnnl_memory_t?
        check(unsafe shim_memory(&memory, matrix, LibraryEngine.shared, address), "dnnl_memory_create")
        return unsafe memory!
    }

    /// The scratch memory that a plan made with `ownScratch` wants: how much, and a handle to be pointed at it.
    func libraryScratch(_ plan: dnnl_primitive_desc_t) -> (bytes: Int, memory: dnnl_memory_t) {
        let description = unsafe dnnl_primitive_desc_query_md(plan, dnnl_query_scratchpad_md, 0)
        var memory: dnnl_memory_t?
        check(unsafe dnnl_memory_create(&memory, description, LibraryEngine.shared, nil), "dnnl_memory_create")
        return unsafe (dnnl_memory_desc_get_size(description), memory!)
    }

    /// On the calling thread, to its end.
    func execute(_ primitive: dnnl_primitive_t, _ arguments: [dnnl_exec_arg_t]) {
        // A stream of this call's own: streams are not for several threads at once, and cost nothing on CPUs.
        var stream: dnnl_stream_t?
        check(
            unsafe dnnl_stream_create(&stream, LibraryEngine.shared, dnnl_stream_default_flags.rawValue),
            "dnnl_stream_create")
        check(
            unsafe dnnl_primitive_execute(primitive, stream, Int32(arguments.count), arguments),
            "dnnl_primitive_execute")
        unsafe dnnl_stream_destroy(stream)
    }

    /// Shapes were checked before, so a status that is not success is a fault of this program or no memory.
    func check(_ status: dnnl_status_t, _ call: String) {
        precondition(status == dnnl_success, "\(call) failed with status \(status.rawValue)")
    }
#endif
