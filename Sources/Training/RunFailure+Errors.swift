// SPDX-License-Identifier: Apache-2.0

import Configuration
import Files
import MPI
import Reports
import Threads

extension RunFailure {
  /// The failure that an error of a lower module causes.
  public init(_ error: any Error) {
    switch error {
    case let failure as RunFailure:
      self = failure
    case let error as ConfigurationError:
      self.init(.configuration, error.description)
    case let error as any FileProblem:
      self.init(error.isDiskFailure ? .diskFailure : .unusableData, error.line)
    case let error as ReportError:
      self.init(.unusableData, error.description)
    case let error as MPIError:
      self.init(.peerLost, "MPI: \(error); look at the other ranks' messages and start again")
    case let error as ThreadError:
      self.init(.configuration, "\(error), or set threads=1")
    default:
      // Unexpected: nothing that the user did can be named as the cause.
      let text = String(describing: error).split(whereSeparator: \.isNewline)
      self.init(
        .internalError,
        "internal error: \(text.joined(separator: " ")); this is a fault of the program: please"
          + " report this line with the command and its configuration")
    }
  }
}
