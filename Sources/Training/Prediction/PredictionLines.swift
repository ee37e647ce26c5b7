// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import Reports

/// The form of the fields in a text.
private struct Shown {
  let fields: [PredictionField]
  /// Whether each line is a step of a stream.
  let isStream: Bool
  private let names: [String]?
  private let rows: [Int]?
  private let classNames: [String]?

  /// - Parameter escaping: turns a name from a file into one without control characters
  init(_ session: PredictionSession, escaping: (String) -> String = { $0.visible }) {
    fields = session.fields
    isStream = session.isStream
    rows = session.originalRows
    names = session.names.map { $0.map(escaping) }
    classNames = session.classNames.map { $0.map(escaping) }
  }

  /// The file's name for a sequence; nil if it has none.
  func name(_ sequence: Int) -> String? { names?[sequence] }

  /// The name of a sequence, or its row in the file.
  func label(_ sequence: Int) -> String { name(sequence) ?? "\(row(sequence))" }

  func row(_ sequence: Int) -> Int { rows?[sequence] ?? sequence }

  /// The name of a class; nil if it has none.
  func className(_ number: Int32) -> String? {
    guard let classNames, classNames.indices.contains(Int(number)) else { return nil }
    return classNames[Int(number)]
  }
}

/// A JSON object for each sequence, with the name of the class if it has one, and the fields as
/// lists.
struct JSONLines: PredictionLines {
  private let shown: Shown

  /// Names are unchanged, because JSON has its own escapes; see `quoted`.
  init(_ session: PredictionSession) { shown = Shown(session, escaping: { $0 }) }

  var header: String { "" }

  func lines(_ rows: PredictedRows) -> [String] {
    rows.lengths.enumerated().map { row, length in
      let sequence = rows.first + row
      let name = shown.name(sequence).map(Self.quoted) ?? "\(shown.row(sequence))"
      var members = [shown.isStream ? "\"step\":\(sequence)" : "\"sequence\":" + name]
      for (field, numbers) in zip(shown.fields, rows.numbers) {
        var shape = field.isEveryStep ? [length] + field.shape.dropFirst() : field.shape
        if field.isEveryStep, shown.isStream { shape.removeFirst() }
        let start = row * field.count
        let values =
          switch numbers {
          case .floats(let all): Self.list(all, start, shape[...])
          case .classes(let all): Self.list(all, start, shape[...], label)
          }
        members.append("\(Self.quoted(field.name)):\(values)")
      }
      return "{" + members.joined(separator: ",") + "}\n"
    }
  }

  private func label(_ number: Int32) -> String {
    shown.className(number).map(Self.quoted) ?? "\(number)"
  }

  private static func list(_ all: [Float], _ start: Int, _ shape: ArraySlice<Int>) -> String {
    list(all, start, shape) { $0.isFinite ? "\($0)" : "null" }
  }

  private static func list<Number>(
    _ all: [Number], _ start: Int, _ shape: ArraySlice<Int>, _ text: (Number) -> String
  ) -> String {
    guard let extent = shape.first else { return text(all[start]) }
    let width = shape.dropFirst().reduce(1, *)
    let items = (0..<extent).map { list(all, start + $0 * width, shape.dropFirst(), text) }
    return "[" + items.joined(separator: ",") + "]"
  }

  static func quoted(_ text: String) -> String {
    let data = try? JSONSerialization.data(
      withJSONObject: text, options: [.fragmentsAllowed, .withoutEscapingSlashes])
    let json = data.map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    guard json.unicodeScalars.contains(where: \.isHiddenOrActive) else { return json }
    // JSON allows these characters, and some of them control a terminal.
    return json.unicodeScalars.map { scalar in
      guard scalar.isHiddenOrActive else { return String(scalar) }
      return String(scalar).utf16.map { String(format: "\\u%04x", $0) }.joined()
    }.joined()
  }
}

/// A line for each sequence, or for each of its steps, with the names of the columns first.
struct CSVLines: PredictionLines {
  private let shown: Shown
  private let isEveryStep: Bool
  private let isForecast: Bool
  /// The indices of the fields that are written; of forecasts, only those of every step.
  private let written: [Int]
  /// The index of the field with the frames after the end of each sequence, [K, C]; nil without a
  /// roll-out.
  private let rolledOut: Int?

  init(_ session: PredictionSession) {
    shown = Shown(session)
    isForecast = session.isForecast
    isEveryStep = session.answers.kind.isEveryStep
    written = session.fields.indices.filter {
      !session.isForecast || session.fields[$0].name != "forecast"
    }
    rolledOut =
      isForecast
      ? session.fields.firstIndex { $0.name == "forecast" && $0.shape.count == 2 } : nil
  }

  var header: String {
    var columns = shown.isStream ? [] : ["sequence"]
    if isEveryStep || shown.isStream { columns.append("step") }
    for field in written.map({ shown.fields[$0] }) {
      let width = Self.width(field)
      if field.areClasses {
        columns.append("class")
      } else if field.name == "probabilities" {
        columns += (0..<width).map { "p_" + (shown.className(Int32($0)) ?? "\($0)") }
      } else {
        let name = ["rates": "rate", "values": "value"][field.name] ?? "forecast"
        columns += (0..<width).map { "\(name)_\($0)" }
      }
    }
    return columns.map(Self.quoted).joined(separator: ",") + "\n"
  }

  private static func width(_ field: PredictionField) -> Int {
    field.shape.dropFirst(field.isEveryStep ? 1 : 0).reduce(1, *)
  }

  func lines(_ rows: PredictedRows) -> [String] {
    rows.lengths.enumerated().flatMap { row, length in
      (0..<(isEveryStep ? length : 1)).map { step in line(rows, row, step) }
        + rolledOutLines(rows, row, length)
    }
  }

  /// A line for each frame of a roll-out but the first, which is the forecast of the last step.
  private func rolledOutLines(_ rows: PredictedRows, _ row: Int, _ length: Int) -> [String] {
    guard let rolledOut, case .floats(let values) = rows.numbers[rolledOut] else { return [] }
    let (field, label) = (shown.fields[rolledOut], shown.label(rows.first + row))
    let (K, C) = (field.shape[0], field.shape[1])
    return (1..<K).map { k in
      let start = row * field.count + k * C
      let fields = [label, "\(length + k)"] + values[start..<start + C].map { "\($0)" }
      return fields.map(Self.quoted).joined(separator: ",") + "\n"
    }
  }

  private func line(_ rows: PredictedRows, _ row: Int, _ step: Int) -> String {
    let sequence = rows.first + row
    var fields = shown.isStream ? [] : [shown.label(sequence)]
    // A forecast belongs to the next step.
    let number = (shown.isStream ? sequence : step) + (isForecast ? 1 : 0)
    if isEveryStep || shown.isStream { fields.append("\(number)") }
    for index in written {
      let field = shown.fields[index]
      let width = Self.width(field)
      let start = row * field.count + step * width
      switch rows.numbers[index] {
      case .floats(let values): fields += values[start..<start + width].map { "\($0)" }
      case .classes(let values):
        fields.append(shown.className(values[start]) ?? "\(values[start])")
      }
    }
    return fields.map(Self.quoted).joined(separator: ",") + "\n"
  }

  private static func quoted(_ field: String) -> String {
    guard field.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return field }
    return "\"" + field.replacing("\"", with: "\"\"") + "\""
  }
}

/// A short line for each sequence, for people to read: the likeliest classes, the values or the
/// forecast.
public struct PredictionTable {
  private let shown: Shown

  /// The table of a session's first field.
  public init(_ session: PredictionSession) { shown = Shown(session) }

  /// The largest count of numbers that are shown.
  private static let most = 8

  /// A line for each sequence of the rows.
  public func lines(_ rows: PredictedRows) -> [String] {
    rows.lengths.indices.map { row in
      let sequence = rows.first + row
      let name = shown.label(sequence).padded(to: 8)
      let (field, numbers) = (shown.fields[0], rows.numbers[0])
      let length = rows.lengths[row]
      switch numbers {
      case .classes(let classes) where !field.isEveryStep:
        return "\(name)  \(likeliest(classes[row], rows, row))"
      case .classes(let classes):
        let start = row * field.count
        return "\(name)  " + Self.list(classes[start..<start + length].map { label($0) })
      case .floats(let values):
        let own = Array(values[row * field.count..<(row + 1) * field.count])
        guard field.isEveryStep else {
          return "\(name)  " + Self.list(own.map { brief(Double($0)) })
        }
        let width = field.count / field.shape[0]
        let means = (0..<width).map { c in
          (0..<length).reduce(0) { $0 + Double(own[$1 * width + c]) } / Double(length)
        }
        return "\(name)  mean \(field.name)  " + Self.list(means.map { brief($0) })
      }
    }
  }

  private func label(_ number: Int32) -> String { shown.className(number) ?? "\(number)" }

  /// "2  0.981   3 0.012   7 0.004"
  private func likeliest(_ number: Int32, _ rows: PredictedRows, _ row: Int) -> String {
    guard case .floats(let values) = rows.numbers[1] else { return label(number) }
    let K = shown.fields[1].count
    let probabilities = values[row * K..<(row + 1) * K]
    let order = probabilities.indices.sorted {
      (probabilities[$0], $1) > (probabilities[$1], $0)
    }
    let others = order.map { Int32($0 - row * K) }.filter { $0 != number }.prefix(2)
    return ([number] + others).map { one in
      "\(label(one)) \(String(format: "%.4f", probabilities[row * K + Int(one)]))"
    }.joined(separator: "   ")
  }

  private static func list(_ items: [String]) -> String {
    items.prefix(most).joined(separator: " ") + (items.count > most ? " ..." : "")
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    count < width ? self + String(repeating: " ", count: width - count) : self
  }
}
