import Checkpoints
import Configuration
import Datasets
import Files
import MPI
import Reports
import Threads

extension RunFailure {
  /// The failure that an error of the parts below amounts to.
  public init(_ error: any Error) {
    switch error {
    case let failure as RunFailure:
      self = failure
    case let error as ConfigurationError:
      self.init(.configuration, error.description)
    case let error as DatasetError:
      self.init(error.isDiskFailure ? .diskFailure : .unusableData, error.description)
    case let error as CheckpointError:
      self.init(error.isDiskFailure ? .diskFailure : .unusableData, error.description)
    case let error as ReportError:
      self.init(.unusableData, error.description)
    case let error as FileError:
      self.init(
        .diskFailure,
        "\(error); check that the folder exists, is writable and has room")
    case let error as MPIError:
      self.init(.peerLost, "MPI: \(error); look at the other ranks' messages and start again")
    case let error as ThreadError:
      self.init(.configuration, "\(error), or set threads=1")
    default:
      self.init(.diverged, "unexpected: \(error); please report this")
    }
  }
}
