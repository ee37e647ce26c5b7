// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Files as other programs see them.
@Suite struct InteroperabilityTests {
  /// Whether Python with h5py is available.
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

  /// Images of an array are shown to a network as those of the file that it learned from: bytes are
  /// divided by 255, other whole numbers are not.
  @Test(
    .enabled(if: hasH5py, "needs python3 with h5py, which is not here"),
    arguments: ["uint8", "int32"])
  func imagesOfNumPyArePredictedAsThoseOfHDF5(type: String) throws {
    try Places.withTemporaryFolder { folder in
      let script = """
        import h5py, numpy
        images = numpy.arange(40 * 5 * 4 * 3).reshape(40, 5, 4, 3) * 7919 % 251
        with h5py.File('images.h5', 'w') as file:
            for part, rows in ('train', slice(0, 30)), ('test', slice(30, 40)):
                file[part + '/x'] = images[rows].astype('\(type)')
                file[part + '/y'] = (numpy.arange(40)[rows] % 2).astype('int32')
        numpy.save('test.npy', images[30:].astype('\(type)'))
        """
      let python = try Program.python(script, in: folder)
      #expect(python.status == 0, "\(python.errors)")
      let settings = [
        "dataset.task=classification", "dataset.file=images.h5", "dataset.inputs={part}/x",
        "dataset.targets={part}/y", "dataset.view=image", "dataset.image_steps=4",
        "dataset.shown_steps=3", "dataset.validation_count=4", "model.cell=conv_gru",
        "model.hidden_size=3", "batch_size=8",
      ].flatMap { ["--set", $0] }
      for arguments in [
        ["train", "--output", "run", "--max-steps", "4"] + settings,
        ["predict", "run", "images.h5", "--to", "file.csv"],
        ["predict", "run", "test.npy", "--to", "array.csv"],
      ] {
        let outcome = try Program.run(arguments, in: folder)
        #expect(outcome.status == 0, "\(arguments[0]): \(outcome.errors)")
      }
      let answers = ["file", "array"].map {
        FileManager.default.contents(atPath: "\(folder)/\($0).csv")
      }
      #expect(answers[0] != nil && answers[0] == answers[1])
    }
  }
}
