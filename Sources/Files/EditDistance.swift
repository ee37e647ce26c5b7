// SPDX-License-Identifier: Apache-2.0

/// How many letters must be inserted, removed or replaced to turn one word into the other
/// (Levenshtein, 1966).
public func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a.utf8), Array(b.utf8))
  var row = Array(0...b.count)
  for (i, letter) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, other) in b.enumerated() {
      let above = row[j + 1]
      row[j + 1] = min(above + 1, row[j] + 1, diagonal + (letter == other ? 0 : 1))
      diagonal = above
    }
  }
  return row[b.count]
}

/// The known word nearest to a mistyped one with a few wrong letters, the first of several; nil if
/// none is near.
public func nearestWord(to word: String, among known: [String]) -> String? {
  let nearest = known.min { (editDistance($0, word), $0) < (editDistance($1, word), $1) }
  return nearest.flatMap { editDistance($0, word) <= max(1, word.utf8.count / 3) ? $0 : nil }
}
