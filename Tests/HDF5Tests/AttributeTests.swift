// SPDX-License-Identifier: Apache-2.0

import HDF5
import Testing

@Suite struct AttributeTests {
  let folder = try! TemporaryFolder()

  @Test func valuesComeBack() throws {
    let file = try File.create(folder.path())
    let group = try file.createGroup("group")
    let dataset = try file.write([1] as [Float], to: "x")
    for holder in [file, group, dataset] as [any AttributeHolder] {
      try holder.setAttribute("text", "μ = 0.6")
      try holder.setAttribute("empty", "")
      try holder.setAttribute("step", Int.min)
      try holder.setAttribute("rate", 1e-3)
      try holder.setAttribute("done", true)
      try holder.setAttribute("more", false)
      try holder.setAttribute("names", ["W", "", "β"])
      try holder.setAttribute("ints", [3, -4])
      try holder.setAttribute("doubles", [0.5, .infinity])
      try holder.setAttribute("no names", [] as [String])
      try holder.setAttribute("no ints", [] as [Int])
    }
    try file.close()

    let read = try File.open(folder.path())
    for holder in [read, try read.group("group"), try read.dataset("x")] as [any AttributeHolder] {
      #expect(try holder.stringAttribute("text") == "μ = 0.6")
      #expect(try holder.stringAttribute("empty") == "")
      #expect(try holder.intAttribute("step") == Int.min)
      #expect(try holder.doubleAttribute("rate") == 1e-3)
      #expect(try holder.boolAttribute("done") == true)
      #expect(try holder.boolAttribute("more") == false)
      #expect(try holder.stringsAttribute("names") == ["W", "", "β"])
      #expect(try holder.intsAttribute("ints") == [3, -4])
      #expect(try holder.doublesAttribute("doubles") == [0.5, .infinity])
      #expect(try holder.stringsAttribute("no names") == [])
      #expect(try holder.intsAttribute("no ints") == [])
      #expect(try holder.attributeNames().count == 11)
      #expect(try holder.attributeNames().first == "done")
    }
  }

  @Test func absentAttributesAreNil() throws {
    let file = try File.create(folder.path())
    #expect(try file.stringAttribute("a") == nil)
    #expect(try file.intAttribute("a") == nil)
    #expect(try file.doubleAttribute("a") == nil)
    #expect(try file.stringsAttribute("a") == nil)
    #expect(try file.attributeNames() == [])
  }

  @Test func attributesAreReplaced() throws {
    let file = try File.create(folder.path())
    try file.setAttribute("a", "text")
    try file.setAttribute("a", 2)
    #expect(try file.intAttribute("a") == 2)
    #expect(try file.attributeNames() == ["a"])
  }

  @Test func numbersAreConvertedWithoutLoss() throws {
    let file = try File.create(folder.path())
    try file.setAttribute("two", 2.0)
    try file.setAttribute("half", 0.5)
    try file.setAttribute("many", 1e30)
    try file.setAttribute("int", 7)
    try file.setAttribute("list of one", [9])
    #expect(try file.intAttribute("two") == 2)
    #expect(try file.doubleAttribute("int") == 7)
    #expect(try file.intAttribute("list of one") == 9)
    expectError("@half: cannot read", "not an integer") { _ = try file.intAttribute("half") }
    expectError("not an integer") { _ = try file.intAttribute("many") }
  }

  @Test func otherKindsAreRefused() throws {
    let file = try File.create(folder.path())
    try file.setAttribute("text", "1")
    try file.setAttribute("number", 1)
    try file.setAttribute("numbers", [1, 2])
    try file.setAttribute("texts", ["1", "2"])
    expectError("test.h5@text: cannot read: it is not a number") {
      _ = try file.intAttribute("text")
    }
    expectError("not a number") { _ = try file.doubleAttribute("text") }
    expectError("not a string") { _ = try file.stringAttribute("number") }
    expectError("not a string") { _ = try file.stringsAttribute("numbers") }
    expectError("2 values instead of one") { _ = try file.intAttribute("numbers") }
    expectError("2 values instead of one") { _ = try file.stringAttribute("texts") }
    expectError("zero byte") { try file.setAttribute("zero", "a\0b") }
  }

  /// Beyond 64 KiB an attribute does not fit into the header of its object.
  @Test func largeAttributes() throws {
    let values = (0..<20_000).map { $0 * $0 }
    let texts = (0..<20_000).map { "word \($0)" }
    let file = try File.create(folder.path())
    try file.setAttribute("values", values)
    try file.setAttribute("texts", texts)
    try file.close()
    let read = try File.open(folder.path())
    #expect(try read.intsAttribute("values") == values)
    #expect(try read.stringsAttribute("texts") == texts)
  }
}
