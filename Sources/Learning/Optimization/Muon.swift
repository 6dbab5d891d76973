package import Configuration
import Platform
package import Tensors

/// The numbers of one update by Muon that are the same for all matrices.
///
/// Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024), with weight decay and the size of updates of
/// Liu et al., "Muon is Scalable for LLM Training" (arXiv:2502.16982), equation 4: the mean square of an update is about 0.2², as
/// AdamW's is, so that learning rate and weight decay of AdamW carry over.
package struct MuonStep: Sendable {
    private let average: MovingAverage
    private let learningRate: Double
    private let decay: Float
    private let gradientScale: Float

    /// - Parameters:
    ///   - settings: momentum and weight decay
    ///   - learningRate: α after the schedule
    ///   - gradientScale: from `OptimizerConfiguration.clipFactor`
    package init(_ settings: OptimizerConfiguration, learningRate: Double, gradientScale: Double) {
        average = MovingAverage(settings.momentum)
        self.learningRate = learningRate
        decay = Float(learningRate * settings.weightDecay)
        self.gradientScale = Float(gradientScale)
    }

    /// `m ← μm + (1−μ)g`, and Nesterov's look ahead, `direction ← μm + (1−μ)g` with the new m: what is orthogonalized next.
    package func accumulate(_ gradient: Vector<Float>, momentum: Vector<Float>, into direction: Vector<Float>) {
        let g = gradient.span
        var m = unsafe momentum.unsafeMutableSpan, d = unsafe direction.unsafeMutableSpan
        let n = g.count
        precondition(m.count == n && d.count == n)
        let (average, scale) = (average, gradientScale)
        for i in 0..<n {
            let gi = g[i] * scale
            let mi = average(m[i], gi)
            m[i] = mi
            d[i] = average(mi, gi)
        }
    }

    /// `w ← w − (decay·w + α·0.2·√max(rows, columns)·o)`
    /// - Parameters:
    ///   - parameters: elements of matrices `[rows, columns]`
    ///   - direction: o, the same elements of the orthogonalized directions
    ///   - rows: of each matrix
    ///   - columns: of each matrix
    package func update(_ parameters: Vector<Float>, direction: Vector<Float>, rows: Int, columns: Int) {
        let o = direction.span
        var w = unsafe parameters.unsafeMutableSpan
        precondition(w.count == o.count)
        let size = Float(learningRate * 0.2 * Double(max(rows, columns)).squareRoot()), decay = decay
        for i in 0..<o.count { w[i] -= decay * w[i] + size * o[i] }
    }
}
