// SPDX-License-Identifier: Apache-2.0

/// The version of this program.
public let programVersion = "0.2.0"
