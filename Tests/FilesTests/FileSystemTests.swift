// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Files

@Suite struct FileSystemTests {
  @Test func theLongestMountThatLeadsThereCounts() {
    let mounts = """
      22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
      30 22 0:26 / /data rw - nfs4 server:/data rw
      31 30 0:27 / /data/my\\040runs rw - tmpfs tmpfs rw
      a line that is none
      """
    func kind(_ place: String) -> String { FileSystem.kind(of: place, mounts: mounts) }
    #expect(kind("/") == "ext4" && kind("/database") == "ext4")
    #expect(kind("/data") == "nfs4" && kind("/data/x") == "nfs4")
    #expect(kind("/data/my runs/x") == "tmpfs")
    #expect(FileSystem.kind(of: "/", mounts: "") == "unknown")
  }

  @Test func aFolderThatIsStillToBeMadeLiesWhereItsParentDoes() throws {
    let folder = FileManager.default.temporaryDirectory.path
    let system = try #require(FileSystem(of: "\(folder)/none/\(UUID().uuidString)"))
    #expect(system.folder == folder && system.kind != "unknown" && system.totalBytes > 0)
    #expect(FileSystem.allowsLocks(in: folder) == true)
    #expect(FileSystem.allowsLocks(in: "/none/of/these") == nil)
  }
}
