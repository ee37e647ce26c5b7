import Foundation
import TestSupport
import Testing

/// Files as other programs see them.
@Suite struct InteroperabilityTests {
  /// Whether Python with h5py is here.
  static let hasH5py: Bool = {
    let outcome = try? Places.withTemporaryFolder {
      try Program.python("import h5py", in: $0)
    }
    return outcome?.status == 0
  }()

  @Test(.enabled(if: hasH5py, "needs python3 with h5py, which is not here"))
  func h5pyReadsCheckpointsUnderPyTorchsNames() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        [
          "train", "--output", "run", "--max-steps", "3", "--set", "model.hidden_size=5",
          "--set", "dataset.steps=7", "--set", "batch_size=16", "--set", "model.layers=2",
        ], ranks: 3, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let script = """
        import glob, h5py, numpy
        folder = 'run/checkpoints/latest/'
        view = h5py.File(folder + 'checkpoint.h5', 'r')
        shapes = {name: value.shape for name, value in view['parameters'].items()}
        assert shapes == {
            'rnn.weight_ih_l0': (20, 2), 'rnn.weight_hh_l0': (20, 5), 'rnn.bias_ih_l0': (20,),
            'rnn.bias_hh_l0': (20,), 'rnn.weight_ih_l1': (20, 5), 'rnn.weight_hh_l1': (20, 5),
            'rnn.bias_ih_l1': (20,), 'rnn.bias_hh_l1': (20,), 'readout.weight': (1, 5),
            'readout.bias': (1,)}, shapes
        shards = [h5py.File(name, 'r') for name in sorted(glob.glob(folder + 'shard-*.h5'))]
        assert len(shards) == 3
        for name, whole in view['parameters'].items():
            parts = [s['parameters'][name][:] for s in shards if name in s['parameters']]
            assert (numpy.concatenate(parts) == whole[:]).all(), name
            assert numpy.abs(whole[:]).sum() > 0 or 'bias' in name, name
        assert set(view['optimizer']) == {'exp_avg', 'exp_avg_sq'}
        print('read')
        """
      let python = try Program.python(script, in: folder)
      #expect(python.status == 0 && python.output.contains("read"), "\(python.errors)")
    }
  }

  @Test(.enabled(if: hasH5py, "needs python3 with h5py, which is not here"))
  func safetensorsHoldTheSameNumbers() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        [
          "train", "--output", "run", "--max-steps", "2", "--set", "model.hidden_size=3",
          "--set", "dataset.steps=4", "--set", "batch_size=16",
        ], ranks: 2, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let export = try Program.run(
        ["export", "run", "--to", "out/model.safetensors", "--optimizer"], in: folder)
      #expect(export.status == 0, "\(export.errors)")
      let script = """
        import h5py, json, numpy
        data = open('out/model.safetensors', 'rb').read()
        length = int.from_bytes(data[:8], 'little')
        header = json.loads(data[8:8 + length])
        assert header.pop('__metadata__')['step'] == '2' and length % 8 == 0
        view = h5py.File('run/checkpoints/latest/checkpoint.h5', 'r')
        end = 0
        for name, entry in header.items():
            start, stop = entry['data_offsets']
            values = numpy.frombuffer(data[8 + length:][start:stop], '<f4').reshape(entry['shape'])
            path = name if name.startswith('optimizer/') else 'parameters/' + name
            assert (values == view[path][:]).all(), name
            end = max(end, stop)
        assert end == len(data) - 8 - length
        assert 'rnn.weight_hh_l0' in header and 'optimizer/exp_avg/rnn.weight_hh_l0' in header
        print('read')
        """
      let python = try Program.python(script, in: folder)
      #expect(python.status == 0 && python.output.contains("read"), "\(python.errors)")
      let nothing = try Program.run(["export", "out", "--to", "x"], in: folder)
      #expect(nothing.status == 65 && nothing.message.contains("holds no checkpoint"))
    }
  }
}
