package import Configuration
import Model
package import Parallelism
package import RunFormat

extension RunSummary {
    /// - Parameter gemmPeak: of all ranks together, measured at start
    package init(_ configuration: ResolvedConfiguration, _ layout: JobLayout, kernels: String, gemmPeak: Double) {
        let work = ModelCost(configuration.model)
        self.init(
            configuration, parameters: (work.activeParameters, work.totalParameters), flopsPerToken: work.flopsPerToken,
            ranks: layout.ranks, expertParallelSize: layout.expertParallelSize,
            microBatchesInFlight: layout.microBatchesInFlight,
            kernels: kernels, gemmPeak: gemmPeak)
    }
}
