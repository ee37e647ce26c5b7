// SPDX-License-Identifier: Apache-2.0

/// An utterance of TIMIT (Garofolo et al., 1993), by the place of its file:
/// TRAIN/DR1/FCJF0/SX127.WAV, in any letter case.
///
/// The sentences SA1 and SA2, which every speaker reads, are left out. TRAIN is the training part.
/// In TEST, the 24 speakers of the core test set are the test part, and the 50 speakers of Kaldi's
/// dev_spk.list are the validation part: 3696, 192 and 400 utterances. If some of the 50 are
/// missing, all other speakers of TEST are the validation part.
struct TIMITUtterance {
  let file: String
  let name: String  // TRAIN/DR1/FCJF0/SX127
  let speaker: String
  let part: DatasetFile.Part

  /// The utterances among the files of a folder; none if it is not TIMIT.
  static func find(in files: [String]) -> [TIMITUtterance] {
    var seen: Set<ExactText> = []
    var found: [(file: String, name: String, isTraining: Bool, speaker: String)] = []
    for file in files {
      let places = file.uppercased().split(separator: "/").suffix(4).map(String.init)
      guard places.count == 4, ["TRAIN", "TEST"].contains(places[0]),
        places[1].hasPrefix("DR"), Int(places[1].dropFirst(2)) != nil
      else { continue }
      // Some copies have SX127.WAV and, converted, SX127.WAV.wav. The first in order counts.
      let stem = places[3].prefix { $0 != "." }
      let name = (places[..<3] + [String(stem)]).joined(separator: "/")
      guard !stem.hasPrefix("SA"), seen.insert(ExactText(name)).inserted else { continue }
      found.append((file, name, places[0] == "TRAIN", places[2]))
    }
    let speakers = Set(found.lazy.filter { !$0.isTraining }.map(\.speaker))
    let validation =
      developmentSpeakers.isSubset(of: speakers)
      ? developmentSpeakers : speakers.subtracting(coreTestSpeakers)
    return found.compactMap { file, name, isTraining, speaker in
      let part: DatasetFile.Part
      if isTraining {
        part = .train
      } else if coreTestSpeakers.contains(speaker) {
        part = .test
      } else if validation.contains(speaker) {
        part = .validation
      } else {
        return nil
      }
      return TIMITUtterance(file: file, name: name, speaker: speaker, part: part)
    }
  }

  private static func names(_ text: String) -> Set<String> {
    Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
  }

  /// Two men and one woman from each dialect region.
  static let coreTestSpeakers = names(
    """
    MDAB0 MWBT0 FELC0 MTAS1 MWEW0 FPAS0 MJMP0 MLNT0 FPKT0 MLLL0 MTLS0 FJLM0
    MBPM0 MKLT0 FNLP0 MCMJ0 MJDH0 FMGD0 MGRT0 MNJM0 FDHC0 MJLN0 MPAM0 FMLD0
    """)

  static let developmentSpeakers = names(
    """
    FAKS0 MMDB1 MBDG0 FEDW0 MTDT0 FSEM0 MDVC0 MRJM4 MJSW0 MTEB0 FDAC1 MMDM2 MBWM0
    MGJF0 MTHC0 MBNS0 MERS0 FCAL1 MREB0 MJFC0 FJEM0 MPDF0 MCSH0 MGLB0 MWJG0 MMJR0
    FMAH0 MMWH0 FGJD0 MRJR0 MGWT0 FCMH0 FADG0 MRTK0 FNMR0 MDLS0 FDRW0 FJSJ0 FJMG0
    FMML0 MJAR0 FKMS0 FDMS0 MTAA0 FREW0 MDLF0 MRCS0 MAJC0 MROA0 MRWS1
    """)
}
