// SPDX-License-Identifier: Apache-2.0

/// The names of configuration keys in other programs.
public enum FamiliarNames {
  private static let keys: [(key: String, names: [String])] = [
    ("optimizer.learning_rate", ["lr", "learning_rate", "learningrate", "eta", "base_lr"]),
    ("optimizer.weight_decay", ["wd", "weight_decay", "decay", "l2"]),
    (
      "optimizer.clip_norm",
      ["clip", "grad_clip", "gradient_clip_val", "max_grad_norm", "clip_norm"]
    ),
    ("optimizer.name", ["optimizer", "optim", "opt"]),
    ("optimizer.schedule", ["scheduler", "lr_scheduler", "schedule"]),
    ("optimizer.warmup_steps", ["warmup", "warmup_steps"]),
    (
      "model.layers",
      ["num_layers", "n_layers", "nlayers", "layers", "depth", "model.num_layers", "model.depth"]
    ),
    (
      "model.hidden_size",
      ["hidden", "hidden_size", "hidden_dim", "hidden_units", "units", "nhid", "n_hidden", "width"]
    ),
    ("model.cell", ["cell", "rnn", "rnn_type", "cell_type", "arch", "architecture", "model"]),
    ("optimizer.beta1", ["beta_1", "b1"]),
    ("optimizer.beta2", ["beta_2", "b2"]),
    ("optimizer.epsilon", ["eps", "optimizer.eps", "adam_epsilon"]),
    ("model.bidirectional", ["bidirectional", "bidir"]),
    ("batch_size", ["batch", "bs", "batchsize", "batch_size", "train_batch_size"]),
    ("epochs", ["epoch", "epochs", "n_epochs", "num_epochs", "max_epochs", "nepochs"]),
    ("seed", ["seed", "random_seed", "random_state"]),
    ("threads", ["num_threads", "nthreads", "num_workers", "workers"]),
    ("dataset.file", ["data", "data_path", "data_dir", "dataset", "file", "train_data", "path"]),
    ("dataset.task", ["task", "problem", "objective"]),
    ("dataset.classes", ["num_classes", "n_classes", "nclasses", "classes"]),
    ("early_stopping.patience", ["patience", "early_stopping_patience", "early_stop"]),
    ("early_stopping.metric", ["monitor"]),
    ("dataset.class_weights", ["class_weight", "class_weights", "pos_weight", "weight"]),
  ]

  /// Names from other programs for what this program does differently, and how it does it.
  private static let others: [(names: [String], cure: String)] = [
    (
      ["gpu", "gpus", "cuda", "device", "devices", "accelerator", "no_cuda"],
      "it trains on CPUs: start ranks with `mpirun -np N momentum-dist train`, and threads with"
        + " --threads N"
    ),
    (
      ["nodes", "num_nodes", "nproc_per_node", "world_size", "ranks", "strategy"],
      "ranks are started by `mpirun -np N` or `srun -n N` before the command"
    ),
    (
      ["fp16", "bf16", "amp", "precision", "half"],
      "it calculates in float32 throughout; leave it out"
    ),
    (
      ["steps", "max_steps", "num_steps", "max_iter", "iterations"],
      "--max-steps N stops a run after N steps; epochs sets its length"
    ),
    (
      [
        "save_dir", "out", "out_dir", "output_dir", "logdir", "log_dir", "save", "default_root_dir",
      ],
      "--output RUN names the run's folder"
    ),
    (
      ["name", "run_name", "run", "exp_name", "experiment", "experiment_name"],
      "--output runs/NAME names the run's folder"
    ),
    (
      ["dropout", "drop", "dropout_rate", "p_dropout", "model.dropout"],
      "recurrent layers on sequences have no dropout; language_model.* and ndt.* have keys for it,"
        + " and optimizer.weight_decay is for all"
    ),
    (["betas", "optimizer.betas"], "optimizer.beta1 and optimizer.beta2 are two keys"),
    (
      ["checkpoint", "ckpt", "ckpt_path", "resume_from_checkpoint", "load", "restore"],
      "--resume RUN continues from a run's newest checkpoint, or from the named one"
    ),
    (["yaml", "cfg", "conf", "config_file", "config_path"], "--config FILE.yaml names it"),
    (
      ["verbose", "v", "quiet", "progress_bar"],
      "progress goes to standard error; see log.every_steps"
    ),
  ]

  /// Values of keys by their names in other programs.
  static let values = [
    "transformer": "ndt", "rnn": "rnn_tanh", "vanilla": "rnn_tanh", "convlstm": "conv_lstm",
    "layernorm_lstm": "ln_lstm", "adamw": "adam", "cosineannealing": "cosine",
  ]

  private static func plain(_ name: String) -> String {
    name.lowercased().replacing("-", with: "_")
  }

  /// The key that a name means; nil if it is unknown.
  public static func key(for name: String) -> String? {
    let name = plain(name)
    let last = name.split(separator: ".").last.map(String.init) ?? name
    if let exact = keys.first(where: { $0.names.contains(name) }) { return exact.key }
    // `optimizer.lr` and `train.lr` mean the same as `lr`.
    guard name.contains(".") else { return nil }
    return keys.first { $0.names.contains(last) && $0.key != name }?.key
  }

  /// What to do instead, for a name that is not a key; nil if the name is unknown.
  public static func cure(for name: String) -> String? {
    others.first { $0.names.contains(plain(name)) }?.cure
  }
}
