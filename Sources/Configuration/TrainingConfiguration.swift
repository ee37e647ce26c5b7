// SPDX-License-Identifier: Apache-2.0

import Layers
import Datasets
import Models
import Tensors

extension SequenceView: ConfigurationChoice {}
extension Pooling: ConfigurationChoice {}
extension RecallProblem.JudgedSteps: ConfigurationChoice {}
extension Normalization: ConfigurationChoice {}
extension OrthogonalSettings.Start: ConfigurationChoice {}
extension OrthogonalSettings.RebaseGradient: ConfigurationChoice {}

/// How shard gradients are summed over the ranks.
public enum ReductionKind: String, ConfigurationChoice {
  /// In one fixed tree: the same bits at any rank count.
  case fixed
  /// By `MPI_Allreduce`: the bits depend on the rank count.
  case mpi
}

/// Whether gradients are reduced while lower layers are still in their backward pass.
public enum OverlapChoice: String, ConfigurationChoice {
  /// If a core is free for the thread that does it.
  case auto
  /// Always.
  case on
  /// Never: the sum follows the backward pass.
  case off
}

/// Whether the gradient of an embedding is sent as the rows of a step's words.
public enum SparseRowsChoice: String, ConfigurationChoice {
  /// If they are at most three quarters of all rows.
  case auto
  /// Always.
  case on
  /// Never: all rows are sent.
  case off
}

/// Everything that determines a run. Each key is named once, here.
public struct TrainingConfiguration: ConfigurationSection, Equatable {
  public var seed: UInt64 = 1
  public var epochs = 10
  public var batchSize = 128
  public var shards = 8
  public var threads = 1
  public var reduction = ReductionKind.fixed
  public var overlap = OverlapChoice.auto
  public var bucketBytes = 1 << 20
  public var sparseRows = SparseRowsChoice.auto
  public var replicaCheckSteps = 100
  public var audit = 0.0
  public var peerTimeout = 120.0
  public var dataset = Dataset()
  public var model = Model()
  public var languageModel = LanguageModelSettings()
  public var ndt = TransformerKeys()
  public var masking = MaskingSettings()
  public var optimizer = OptimizerSettings()
  public var earlyStopping = EarlyStopping()
  public var checkpoint = Checkpoint()
  public var log = Log()

  public init() {}

  public mutating func visit(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    try visitor.field(
      "seed", &seed, "the seed of all random numbers: starting weights, order of the data")
    try visitor.field(
      "epochs", &epochs, "passes over the training set", .within(1...1_000_000), effect: .nothing)
    try visitor.field(
      "batch_size", &batchSize, "sequences per step, over all ranks", .within(1...1_000_000))
    try visitor.field(
      "shards", &shards, "virtual shards a batch is cut into; at least the number of ranks",
      .within(1...4096))
    try visitor.field(
      "threads", &threads,
      "threads of each rank, which share its shards; 0 uses one per core; the same bits",
      .within(0...4096), effect: .nothing)
    try visitor.field(
      "reduction", &reduction,
      "how gradients are summed: fixed gives the same bits at any rank count")
    try visitor.field(
      "overlap", &overlap,
      "sum the gradients of upper layers during the backward pass of lower ones; the same bits",
      effect: .nothing)
    try visitor.field(
      "bucket_bytes", &bucketBytes,
      "how much of a gradient is summed at once; the same bits if reduction is fixed",
      .within(4...1 << 40), effect: .nothing)
    try visitor.field(
      "sparse_rows", &sparseRows,
      "send only the rows of the step's words of the gradient of an untied embedding: auto, if they"
        + " are few; the same bits if reduction is fixed", effect: .nothing,
      use: .tasks(.languageModel))
    try visitor.field(
      "replica_check_steps", &replicaCheckSteps,
      "compare the parameters of all ranks every N steps and before each save; 0 never",
      .atLeast(0), effect: .nothing)
    try visitor.field(
      "audit", &audit,
      "share of the steps in which a second rank computes a shard again and compares all bits;"
        + " 0 none, 0.01 one step in a hundred; the same bits",
      .within(0...1), effect: .nothing)
    try visitor.field(
      "peer_timeout", &peerTimeout,
      "seconds that a rank waits for another before all exit with status 76 and name that rank",
      .above(0), effect: .nothing)
    try visitor.section("dataset", &dataset)
    try visitor.section("model", &model)
    try visitor.section("language_model", &languageModel, use: .tasks(.languageModel))
    try visitor.section("ndt", &ndt, use: .encoders)
    try visitor.section("masking", &masking, use: .tasks(.maskedSpikes))
    try visitor.section("optimizer", &optimizer)
    try visitor.section("early_stopping", &earlyStopping)
    try visitor.section("checkpoint", &checkpoint)
    try visitor.section("log", &log)
  }

  /// The source of the sequences.
  public struct Dataset: ConfigurationSection, Equatable {
    public var task = TaskName.adding
    public var file = ""
    public var inputs = DatasetPlace.ownInputs
    public var targets = DatasetPlace.ownTargets
    public var offsets = DatasetPlace.ownOffsets
    public var times = DatasetPlace.ownTimes
    public var readTimes = TimesChoice.auto
    public var normalize = NormalizeChoice.off
    public var forecast = ForecastWindows()
    public var classWeights = ClassWeights.off
    public var isBalanced = false
    public var classes = 0
    public var memory = 1024
    public var view = SequenceView.rows
    public var imageShow = ImageShow()
    public var permutation = PermutationChoice.seed
    public var permutationSeed: UInt64 = 1
    public var permutationFile = ""
    public var steps = 100
    public var symbols = 10
    public var alphabet = 8
    public var loss = RecallProblem.JudgedSteps.all
    public var trainCount = 20_000
    public var heldOut = HeldOutCount.automatic
    public var overfit = 0
    public var testCount = 1_000
    /// The data that the run has learned from, to compare with; not a key.
    public var learned: LearnedData?
    /// The part of `file` to evaluate; the file may lack the other parts. Not a key.
    public var measured: DatasetFile.Part?
    /// The kind of answer for sequences whose targets are not read; not a key.
    public var unlabelled: TargetKind?

    public init() {}

    public mutating func visit(
      _ visitor: inout some ConfigurationVisitor
    ) throws(ConfigurationError) {
      try visitor.field(
        "task", &task, "what is learned; classification reads `file`", effect: .model)
      try visitor.field(
        "file", &file,
        "the HDF5 file from `prepare`, which generated tasks do not need; or several, as a list or"
          + " a pattern, that count as one")
      try visitNames(&visitor)
      try visitor.field(
        "classes", &classes,
        "the number of classes, if the file does not have it; 0 counts them",
        .within(0...1 << 24), effect: .model, use: .tasks(.classification, .tagging))
      try visitor.field(
        "memory", &memory, "megabytes of a part that a rank keeps in memory; more is streamed",
        .within(0...1 << 24), effect: .nothing)
      try visitor.field(
        "view", &view,
        "images as rows, as single pixels, as pixels in one fixed order, or whole in every step",
        effect: .model, use: .tasks(.classification))
      try visitPermutation(&visitor)
      try visitImages(&visitor)
      try visitHeldOut(&visitor)
      try visitor.field(
        "steps", &steps,
        "T of generated sequences; copying and denoise add twice the symbols to it",
        .within(2...1_000_000), use: .generated)
      try visitor.field(
        "symbols", &symbols, "K, the number of symbols to recall (copying, denoise)",
        .within(1...10_000), use: .tasks(.copying, .denoise).and(.generated))
      try visitor.field(
        "alphabet", &alphabet, "A, the number of different symbols (copying, denoise)",
        .within(1...250), effect: .model, use: .tasks(.copying, .denoise).and(.generated))
      try visitor.field(
        "loss", &loss,
        "the steps that the loss is a mean over (copying, denoise): all, or those of the recalled"
          + " symbols", effect: .model, use: .tasks(.copying, .denoise))
      try visitor.field(
        "train_count", &trainCount, "generated training sequences", .within(1...100_000_000),
        use: .generated)
      try visitor.field(
        "test_count", &testCount, "generated test sequences", .within(1...100_000_000),
        use: .generated)
    }
  }

  /// The recurrent stack.
  public struct Model: ConfigurationSection, Equatable {
    public var cell = CellName(RecurrentSystem(named: "momentum_lstm")!)
    public var hiddenSize = 128
    public var layers = 1
    public var bidirectional = false
    public var pooling = Pooling.last
    public var mu = 0.6
    public var epsilon = 0.6
    public var beta = 0.99
    public var restart = 2
    public var memoryOrder = 0
    public var memoryChannels = 1
    public var discretization = DiscretizationChoice.cell
    public var memoryStep = 0.01
    public var maximumSteps = 1024
    public var memoryForm = MemoryConstants.Form.scan
    public var normalization = Normalization.none
    public var window = 25
    public var carryWindow = false
    public var kernelSize = 3
    public var graph = ""
    public var gateBias = 1.0
    public var recomputeEvery = 0
    public var orthogonalStart = OrthogonalSettings.Start.cayley
    public var rebaseEvery = 1
    public var projectEvery = 100
    public var rebaseGradient = OrthogonalSettings.RebaseGradient.exact

    /// The recurrent system with the norms that the keys add to it.
    public var system: RecurrentSystem { cell.system.normalized(by: normalization) ?? cell.system }

    /// The system in a line of text.
    public var title: String { system.title(window: window) }

    /// How the system's recurrent matrix is kept orthogonal; nil if it is unconstrained.
    public var orthogonal: OrthogonalSettings? {
      guard var settings = cell.system.orthogonal else { return nil }
      settings.start = orthogonalStart
      settings.rebaseEvery = rebaseEvery
      settings.projectEvery = projectEvery
      settings.rebaseGradient = rebaseGradient
      return settings
    }

    public init() {}

    public mutating func visit(
      _ visitor: inout some ConfigurationVisitor
    ) throws(ConfigurationError) {
      try visitor.field("cell", &cell, "the recurrent system", effect: .model)
      try visitor.field(
        "hidden_size", &hiddenSize,
        "H, units per layer, or channels of a cell on maps; the nodes of a graph have their own",
        .within(1...65_536), effect: .model)
      try visitor.field(
        "layers", &layers, "recurrent layers, one on top of the other", .within(1...64),
        effect: .model)
      try visitor.field(
        "bidirectional", &bidirectional,
        "whether each layer also reads the sequence from its end; not for next_frame",
        effect: .model)
      try visitor.field(
        "pooling", &pooling,
        "the state that a class or a sum is read from: the last valid one, or the mean of all",
        effect: .model,
        use: .tasks(.adding, .classification, .regression, .forecast, .multilabel))
      try visitor.field(
        "mu", &mu, "μ, the share of the old velocity that is kept", .within(0...1),
        effect: .model, use: .constant(.mu))
      try visitor.field(
        "epsilon", &epsilon, "ε, the step size of the input", .above(0), effect: .model,
        use: .constant(.epsilon))
      try visitor.field(
        "beta", &beta, "β, the share of the old second moment that is kept", .within(0..<1),
        effect: .model, use: .constant(.beta))
      try visitor.field(
        "restart", &restart, "F, steps between restarts of the Nesterov counter; 0: no restart",
        .atLeast(0), effect: .model, use: .constant(.restart))
      try visitMemory(&visitor)
      try visitor.field(
        "normalization", &normalization,
        "norms in the gates of a cell with a drive: over a step's units (layer), or over those of"
          + " the last window steps together (assorted_time)",
        effect: .model, use: .normalizableCells)
      try visitor.field(
        "window", &window, "k, the steps whose mean and variance an assorted-time norm uses",
        .within(1...65_536), effect: .model, use: .constant(.window))
      try visitor.field(
        "carry_window", &carryWindow,
        "whether those steps may belong to the chunk before; false starts each chunk with an empty"
          + " window, as the paper does",
        effect: .model, use: .tasks(.languageModel).and(.constant(.carryWindow)))
      try visitor.field(
        "kernel_size", &kernelSize, "K, places of a convolution's window in each direction",
        .within(1...99), effect: .model, use: .constant(.kernelSize))
      try visitor.field(
        "graph", &graph,
        "the nodes of a graph of layers: \"conv1: input, channels 16; conv2: conv1, channels 32,"
          + " cell rgc\"", effect: .model, use: .constant(.graph))
      try visitor.field(
        "gate_bias", &gateBias, "start of the forget gate (LSTM) or reset gate (GRU), in each bias",
        use: .gatedCells)
      try visitor.field(
        "recompute_every", &recomputeEvery,
        "k: keep only the state of every k-th time step and recompute the rest in the backward"
          + " pass, for sequences too long for memory; 0 keeps all; the same bits",
        .within(0...1 << 24), effect: .nothing)
      try visitor.field(
        "orthogonal_start", &orthogonalStart, "angles of the starting orthogonal matrix",
        use: .orthogonalCells)
      try visitor.field(
        "rebase_every", &rebaseEvery,
        "K, steps between rebases of a DTRIV; 0 is infinity: one rebase, at the first step",
        .atLeast(0), effect: .model, use: .dynamicCells)
      try visitor.field(
        "project_every", &projectEvery, "M, rebases between projections of a DTRIV's base",
        .atLeast(1), use: .dynamicCells)
      try visitor.field(
        "rebase_gradient", &rebaseGradient,
        "the gradient of a step that rebases: exact, or as in the authors' code", use: .dynamicCells
      )
    }
  }

  /// Checkpoints of the run.
  public struct Checkpoint: ConfigurationSection, Equatable {
    public var everySteps = 0
    public var keepLast = 2
    public var background = true
    public var timeout = 1800.0

    public init() {}

    public mutating func visit(
      _ visitor: inout some ConfigurationVisitor
    ) throws(ConfigurationError) {
      try visitor.field(
        "every_steps", &everySteps, "steps between checkpoints; 0 saves after every epoch",
        .atLeast(0), effect: .nothing)
      try visitor.field(
        "keep_last", &keepLast, "how many checkpoints stay on disk", .atLeast(1),
        effect: .nothing)
      try visitor.field(
        "background", &background,
        "write checkpoints from a copy while training continues; false waits for the disk",
        effect: .nothing)
      try visitor.field(
        "timeout", &timeout,
        "seconds that ranks wait for a rank that is saving before all exit with status 76",
        .above(0), effect: .nothing)
    }
  }

  /// Progress reports.
  public struct Log: ConfigurationSection, Equatable {
    public var everySteps = 50
    public var histogramSteps = 0

    public init() {}

    public mutating func visit(
      _ visitor: inout some ConfigurationVisitor
    ) throws(ConfigurationError) {
      try visitor.field(
        "every_steps", &everySteps, "steps between progress lines and metrics records",
        .atLeast(1), effect: .nothing)
      try visitor.field(
        "histogram_steps", &histogramSteps,
        "steps between histograms of weights and gradients for TensorBoard; 0 writes none",
        .atLeast(0), effect: .nothing)
    }
  }
}
