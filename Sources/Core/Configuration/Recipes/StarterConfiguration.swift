import Platform

/// A configuration to begin with: a small model, and what one changes first, with a comment on each key.
///
/// Lines such as `# recompute: none` name keys at their defaults.
package struct StarterConfiguration: Sendable {
    private let data, directory: String
    private let bytes: Int?

    /// - Parameters:
    ///   - data: `data.train`
    ///   - bytes: of the texts there; nil of token files, which bring their vocabulary
    ///   - directory: `run.directory`
    package init(data: String, bytes: Int?, directory: String) {
        self.data = data
        self.bytes = bytes
        self.directory = directory
    }

    /// The line of `data.tokenizer`: entries enough for the texts, of which every one must occur in them.
    private var tokenizer: String {
        guard let bytes else { return "# tokenizer:                  # the one that the token file was made with" }
        let value = bytes < 1 << 18 ? "byte     " : bytes < 1 << 23 ? "bpe 1024 " : "bpe 4096 "
        let kind = bytes < 1 << 18 ? "the bytes of the texts" : "learned from the texts"
        return "tokenizer: \(value)         # \(kind); or the path of a tokenizer.json"
    }

    /// The line of `data.validation`: of small texts a larger part, so that it says something.
    private var validation: String {
        (bytes ?? .max) < 1 << 23
            ? "validation: tail 0.05       # the last twentieth is held out; hash 0.05: a twentieth of the documents"
            : "validation: tail 0.01       # the last hundredth is held out; hash 0.01: a hundredth of the documents"
    }

    /// The text of the file.
    package var yaml: String {
        """
        # A small Mixture-of-Experts model. docs/configuration.md explains every key.
        #   switchyard train FILE --check     says what it will do and how much memory it takes
        #   mpirun -np 2 switchyard train FILE
        # The same command goes on where a run was interrupted. Any key may be changed on the command line:
        #   --set model.layers=8

        seed: 1                       # determines everything that is random
        # precision: float32          # bfloat16 is faster where the processor has AVX-512
        # reproducible: false         # true: the same bits on any number of ranks and threads

        run:
          directory: \(doubleQuoted(escapedPath(directory)))

        data:
          # Texts, JSON lines or Parquet files, also compressed; a directory of them, or a pattern such as texts/*.parquet.
          train: \(doubleQuoted(escapedPath(data)))
          \(validation)
          \(tokenizer)
          # text_field: auto          # which field of JSON lines, or column of Parquet, holds the text

        model:
          d_model: 256
          layers: 4
          heads: 4
          context: 256                # tokens of a sequence
          experts: 8                  # of each layer; 1: a dense model
          # top_k: 1                  # experts a token goes to
          # granularity: 1            # into how many pieces an expert is cut

        routing:
          capacity_factor: 1.25       # slots an expert has, over those that an even load needs

        batch:
          tokens: 16384               # of a step
          micro_batch_tokens: 4096    # of which a rank computes whole ones: here at most four ranks have work

        train:
          steps: 1000                 # or: tokens
          validate_every: 100
          validation_tokens: 65536    # at most so many of the held-out tokens

        optimizer:
          learning_rate: 2.0e-3       # auto: by the joint scaling study's rule
          weight_decay: 0.1
          # gradient_clip: 1

        schedule:
          kind: wsd                   # warm-up, constant, decay; or cosine
          warmup_tokens: 500_000
          decay_share: 0.2            # the part of the run in which the rate falls

        checkpoint:
          every_minutes: 10
          # keep: 2                   # the newest two, and the best

        parallel:
          threads_per_rank: 1         # with mpirun --map-by slot:PE=THREADS, or cluster/launch -t THREADS

        # metrics:
        #   formats: [csv, tensorboard]

        """
    }
}
