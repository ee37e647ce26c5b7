// SPDX-License-Identifier: Apache-2.0

internal import CSampleRate

extension AudioFile {
  /// The same sound at another sample rate, by band-limited interpolation (J. O. Smith,
  /// "Digital Audio Resampling", 2002) of libsamplerate's best quality.
  ///
  /// The corresponding C function is `src_simple`.
  public func resampled(to rate: Double) -> AudioFile {
    precondition(Self.sampleRates.contains(rate), "a sample rate of \(rate) Hz")
    if rate == sampleRate || samples.isEmpty {
      return AudioFile(samples: samples, sampleRate: rate)
    }
    let count = Int((Double(samples.count) * rate / sampleRate).rounded(.up))
    let output = [Float](unsafeUninitializedCapacity: count) { output, made in
      samples.withUnsafeBufferPointer { input in
        var data = SRC_DATA()
        data.data_in = input.baseAddress
        data.input_frames = input.count
        data.data_out = output.baseAddress
        data.output_frames = count
        data.src_ratio = rate / sampleRate
        let status = src_simple(&data, CInt(SRC_SINC_BEST_QUALITY), 1)
        // The arguments are valid, so the only possible failure is lack of memory.
        precondition(status == 0, "libsamplerate: \(String(cString: src_strerror(status)))")
        made = data.output_frames_gen
      }
    }
    return AudioFile(samples: output, sampleRate: rate)
  }
}
