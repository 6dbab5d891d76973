package import Configuration
import Diagnostics
import Foundation
import Platform

/// `run.json`: what was trained, for programs that compare runs.
package struct RunSummary: Codable, Sendable {
    package var nActive: Int
    package var nTotal: Int
    /// Embedding and head, which some laws leave out.
    package var nEmbedding: Int
    package var vocabularySize: Int?
    package var context: Int?
    package var experts: ExpertsPerLayer
    package var granularity: Int
    package var topK: Int
    package var flopsPerToken: Double
    package var ranks: Int
    package var expertParallelSize: Int
    package var threadsPerRank: Int
    package var microBatchesInFlight: Int
    /// Whether gradients are summed while the backward pass goes on.
    package var overlapReduction: Bool
    /// Whether ranks share out moments and updates.
    package var distributedOptimizer: Bool
    package var reproducible: Bool
    package var kernels: String
    /// Of all ranks together, measured at start.
    package var gemmPeakFlops: Double
    /// Whether a checkpoint of the run has been published: one that is missing then was moved or removed. Nil in files of
    /// versions that did not say.
    package var hasCheckpoints: Bool?

    enum CodingKeys: String, CodingKey {
        case nActive = "n_active"
        case nTotal = "n_total"
        case nEmbedding = "n_embedding"
        case vocabularySize = "vocabulary_size"
        case context, experts, granularity
        case topK = "top_k"
        case flopsPerToken = "flops_per_token"
        case ranks
        case expertParallelSize = "expert_parallel"
        case threadsPerRank = "threads_per_rank"
        case microBatchesInFlight = "micro_batches_in_flight"
        case overlapReduction = "overlap_reduction"
        case distributedOptimizer = "distributed_optimizer"
        case reproducible, kernels
        case gemmPeakFlops = "gemm_peak_flops"
        case hasCheckpoints = "has_checkpoints"
    }

    /// - Parameters:
    ///   - parameters: of the whole model, and those that one token meets
    ///   - gemmPeak: of all ranks together
    package init(
        _ configuration: ResolvedConfiguration, parameters: (active: Int, total: Int), flopsPerToken: Double,
        ranks: Int,
        expertParallelSize: Int, microBatchesInFlight: Int, kernels: String, gemmPeak: Double
    ) {
        let model = configuration.model
        (nActive, nTotal) = (parameters.active, parameters.total)
        nEmbedding = model.vocabularySize * model.dModel * (model.tieEmbeddings ? 1 : 2)
        (vocabularySize, context) = (model.vocabularySize, model.context)
        (experts, granularity, topK) = (model.experts, model.granularity, model.topK)
        self.flopsPerToken = flopsPerToken
        (self.ranks, self.expertParallelSize) = (ranks, expertParallelSize)
        threadsPerRank = configuration.parallel.threadsPerRank
        self.microBatchesInFlight = microBatchesInFlight
        // One rank has nothing to sum and nobody to share with.
        overlapReduction = configuration.parallel.overlapReduction && ranks > 1
        distributedOptimizer = configuration.distributesOptimizer && ranks > 1
        reproducible = configuration.reproducible
        self.kernels = kernels
        gemmPeakFlops = gemmPeak
        hasCheckpoints = false
    }

    /// What a user reads when training begins.
    package func sentence(microBatches: Int) -> String {
        "\(grouped(nTotal)) parameters, \(grouped(nActive)) active; \(microBatches) micro-batches a step on \(ranks) "
            + "rank\(ranks == 1 ? "" : "s") (expert_parallel \(expertParallelSize)) of \(threadsPerRank) "
            + "thread\(threadsPerRank == 1 ? "" : "s"), \(microBatchesInFlight) micro-batch\(microBatchesInFlight == 1 ? "" : "es") in flight"
            + (overlapReduction ? ", reduction overlapped" : "")
            + (distributedOptimizer ? ", optimizer distributed" : "")
            + "; GEMM peak \(decimals(gemmPeakFlops / 1e9, 0)) GFLOP/s (\(kernels))"
    }

    /// Nil if there is none or it is not readable.
    package static func read(_ path: String) -> RunSummary? {
        (try? RegularFile(path).contents(limit: 1 << 24)).flatMap {
            try? JSONDecoder.ofRecords().decode(RunSummary.self, from: Data($0))
        }
    }

    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let data = (try? encoder.encode(self)) ?? Data()
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}
