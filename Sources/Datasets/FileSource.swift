import HDF5
import RandomNumbers
import Tensors

/// How the numbers of a stored sequence are laid out in time.
public enum SequenceView: String, Sendable, CaseIterable {
  /// As stored: an image row is a time step (MNIST: T=28, C=28).
  case rows
  /// One number per time step, in stored order (MNIST: T=784, C=1).
  case pixels
  /// Like `pixels`, in one fixed random order (permuted MNIST).
  case permuted
}

/// Labelled sequences in a part of a data set file.
///
/// Each rank opens the file by itself, read-only. A part that fits is kept in memory as it is on
/// disk; a larger one is read sequence by sequence.
public final class FileSource: SequenceSource {
  private let path: String
  private let inputs: Dataset
  private let labels: [Int32]
  private let scaling: Float
  /// Where in a stored sequence the k-th number of the view lies; nil is in order.
  private let order: [Int]?
  private let memory: Memory

  private enum Memory {
    case bytes([UInt8])
    case floats([Float])
    case none
  }

  public let count: Int
  public let steps: Int
  public let features: Int
  public let targetKind: TargetKind

  /// The largest part that is kept in memory.
  public static let memoryLimit = 1 << 30

  /// Opens one part of a file that `prepare` made.
  ///
  /// - Parameter permutationSeed: chooses the order of `permuted`
  public init(
    _ path: String, part: DatasetFile.Part, view: SequenceView, permutationSeed: UInt64
  ) throws(DatasetError) {
    self.path = path
    let prepare = "make it with `momentum-dist prepare`"
    do {
      let file = try DatasetFile.open(path)
      let group = part.rawValue
      guard file.contains("\(group)/inputs"), file.contains("\(group)/targets") else {
        throw DatasetError(path, "has no \(group)/inputs and \(group)/targets", cure: prepare)
      }
      inputs = try file.dataset("\(group)/inputs")
      let targets = try file.dataset("\(group)/targets")
      let shape = inputs.shape
      guard shape.count == 3, shape.allSatisfy({ $0 > 0 }), targets.shape == [shape[0]] else {
        throw DatasetError(
          path, "\(group)/inputs is \(shape) and \(group)/targets \(targets.shape)",
          cure: "they must be [N, T, C] and [N]")
      }
      count = shape[0]
      let classes = try file.intAttribute("classes") ?? 0
      labels = try targets.read(as: Int32.self)
      if let wrong = labels.firstIndex(where: { $0 < 0 || Int($0) >= classes }) {
        throw DatasetError(
          path, "\(group)/targets[\(wrong)] is \(labels[wrong]), outside 0 ..< \(classes)",
          cure: "mend the label or the attribute `classes`")
      }
      scaling = Float(try file.doubleAttribute("scaling") ?? 1)
      targetKind = .classes(classes)
      let perSequence = shape[1] * shape[2]
      switch view {
      case .rows:
        (steps, features, order) = (shape[1], shape[2], nil)
      case .pixels:
        (steps, features, order) = (perSequence, 1, nil)
      case .permuted:
        var stream = RandomStream(seed: permutationSeed, purpose: .pixelPermutation)
        (steps, features, order) = (perSequence, 1, stream.permutation(perSequence))
      }
      let isBytes = inputs.elementType == .uint8
      if shape[0] * perSequence * (isBytes ? 1 : 4) > Self.memoryLimit {
        memory = .none
      } else if isBytes {
        memory = .bytes(try inputs.read(as: UInt8.self))
      } else {
        memory = .floats(try inputs.read(as: Float.self))
      }
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, "\(error)", cure: "check the path, or \(prepare)")
    }
  }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SourceTargets {
    let (T, N, C) = (steps, indices.count, features)
    precondition(x.shape == [T, N, C], "a buffer of \(x.shape) for [\(T), \(N), \(C)]")
    for (n, index) in indices.enumerated() {
      precondition(index >= 0 && index < count, "sequence \(index) of \(count)")
      switch memory {
      case .bytes(let bytes): scatter(bytes, from: index * T * C, toRow: n, of: x)
      case .floats(let floats): scatter(floats, from: index * T * C, toRow: n, of: x)
      case .none:
        do {
          let sequence = try inputs.read(
            as: Float.self, at: [index, 0, 0], count: [1] + inputs.shape.dropFirst())
          scatter(sequence, from: 0, toRow: n, of: x)
        } catch {
          throw DatasetError(path, "\(error)", cure: "the file is damaged: prepare it again")
        }
      }
    }
    return .classes(indices.map { labels[$0] })
  }

  /// Copies one stored sequence to row n of every time step.
  private func scatter<Value: BinaryInteger>(
    _ values: [Value], from start: Int, toRow n: Int, of x: Tensor<Float>
  ) {
    let (N, C) = (x.shape[1], features)
    x.withMutableSpan { x in
      for t in 0..<steps {
        for i in 0..<C {
          let place = order?[t * C + i] ?? (t * C + i)
          x[(t * N + n) * C + i] = Float(values[start + place]) * scaling
        }
      }
    }
  }

  private func scatter(
    _ values: [Float], from start: Int, toRow n: Int, of x: Tensor<Float>
  ) {
    let (N, C) = (x.shape[1], features)
    x.withMutableSpan { x in
      for t in 0..<steps {
        for i in 0..<C {
          let place = order?[t * C + i] ?? (t * C + i)
          x[(t * N + n) * C + i] = values[start + place] * scaling
        }
      }
    }
  }
}
