package import Tensors
package import Threading

/// Everything that one rank brings to the forward pass of one micro-batch.
///
/// A value of references: a copy of it copies no memory. It is not Sendable, because it belongs to the thread that runs
/// the pass. Kernels get explicit arguments and never see a context.
package struct ForwardContext {
    /// The parameters; a layer finds its own by `ParameterID`.
    package let parameters: ParameterArena
    /// Activations, send and receive buffers, and scratch; one workspace for each micro-batch in flight.
    package let workspace: MicroBatchWorkspace
    /// Carries rows of tokens to the ranks that hold their experts.
    package let dispatcher: any TokenDispatcher
    /// The threads that kernels run on.
    package let pool: ThreadPool
    /// Tokens of one sequence.
    package let sequenceLength: Int
    /// `[tokens]`: `MicroBatch.documentStarts`
    package let documentStarts: Vector<Int32>?
    package let purpose: PassPurpose
    /// The keys and values of earlier tokens; nil outside generation.
    package let cache: KeyValueCache?

    package init(
        parameters: ParameterArena, workspace: MicroBatchWorkspace, dispatcher: any TokenDispatcher, pool: ThreadPool,
        sequenceLength: Int, documentStarts: Vector<Int32>? = nil, purpose: PassPurpose, cache: KeyValueCache? = nil
    ) {
        self.parameters = parameters
        self.workspace = workspace
        self.dispatcher = dispatcher
        self.pool = pool
        self.sequenceLength = sequenceLength
        self.documentStarts = documentStarts
        self.purpose = purpose
        self.cache = cache
    }
}

/// A backward pass: the forward pass that it reverses, and where gradients go.
package struct BackwardContext {
    package let forward: ForwardContext
    /// Sums every parameter's gradient over the micro-batches of a step.
    package let gradients: GradientAccumulator
    /// The factors of the losses, the same for all micro-batches of a batch.
    package let scale: LossScale

    package init(_ forward: ForwardContext, gradients: GradientAccumulator, scale: LossScale) {
        self.forward = forward
        self.gradients = gradients
        self.scale = scale
    }

    package var parameters: ParameterArena { forward.parameters }
    package var workspace: MicroBatchWorkspace { forward.workspace }
    package var dispatcher: any TokenDispatcher { forward.dispatcher }
    package var pool: ThreadPool { forward.pool }
    package var sequenceLength: Int { forward.sequenceLength }
    package var documentStarts: Vector<Int32>? { forward.documentStarts }
}
