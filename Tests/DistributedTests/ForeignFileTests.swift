// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Files of kinds that only other programs write: half floats, Boolean values, enumerations,
/// strings, filters that are not here. Those that are read have the numbers of the plain file.
@Suite(.serialized) struct ForeignFileTests {
  /// Each function writes the inputs and labels of a file; everything else is as in `plain`.
  private static let script = """
    import h5py, numpy as np
    N = 60
    X = (np.arange(N * 18).reshape(N, 6, 3) * 7919 % 1000 / 512).astype('f2').astype('f4')
    Y = (np.arange(N) % 3).astype('i4')
    def write(name, x=X, y=Y, kx={}, ky={}, fn=None, **k):
        with h5py.File(name + '.h5', 'w', **k) as f:
            if x is not None: f.create_dataset('train/x', data=x, **kx)
            if y is not None: f.create_dataset('train/y', data=y, **ky)
            if fn: fn(f)
    write('plain')
    write('half', x=X.astype('f2'), y=Y.astype('f2'))
    write('big_endian', x=X.astype('>f8'), y=Y.astype('>i8'))
    write('one_hot', y=np.eye(3)[Y] > 0)
    write('enumeration', y=Y.astype('i1'),
          ky=dict(dtype=h5py.enum_dtype(dict(walk=0, run=1, sit=2), basetype='i1')))
    write('filters', kx=dict(chunks=(10, 6, 3), compression='gzip', shuffle=True, fletcher32=True))
    write('growing', kx=dict(chunks=(10, 6, 3), maxshape=(None, None, 3)), libver=('v110', 'v110'))
    write('resized', x=None, fn=lambda f: (
        f.create_dataset('train/x', (99, 6, 3), 'f4', maxshape=(None, 6, 3), chunks=(16, 6, 3),
                         compression='gzip').write_direct(X, dest_sel=np.s_[:60]),
        f['train/x'].resize((60, 6, 3))))
    def scales(f):
        f['t'] = np.arange(6)
        f['t'].make_scale('time')
        f['train/x'].dims[1].attach_scale(f['t'])
    write('scales', fn=scales)
    write('soft_link', x=None,
          fn=lambda f: (f.create_dataset('a/b', data=X),
                        f['train'].__setitem__('x', h5py.SoftLink('/a/b'))))
    write('strings', y=np.array(['a', 'b', 'c'], dtype=object)[Y],
          ky=dict(dtype=h5py.string_dtype()))
    write('lzf', x=np.zeros_like(X), kx=dict(chunks=(10, 6, 3), compression='lzf'))
    write('record', x=np.zeros((N, 6), dtype=[('a', 'f4'), ('b', 'f4')]))
    write('lists', x=None, fn=lambda f: f.create_dataset('train/x', (N,), h5py.vlen_dtype('f4')))
    write('elsewhere', x=None,
          fn=lambda f: f['train'].__setitem__('x', h5py.ExternalLink('plain.h5', '/train/x')))
    def view(f):
        layout = h5py.VirtualLayout(shape=X.shape, dtype='f4')
        layout[:] = h5py.VirtualSource('none.h5', 'train/x', shape=X.shape)
        f.create_virtual_dataset('train/x', layout)
    write('view', x=None, fn=view)
    write('fill_value', x=None, fn=lambda f: f.create_dataset('train/x', X.shape, 'f4', fillvalue=7))
    """

  private static let refused = [
    "strings": "train/y does not hold numbers but strings; number the classes 0, 1, 2, ...",
    "lzf":
      "packed by the filter lzf (number 32000), which is not installed here; repack it",
    "record": "train/x does not hold numbers but records of a, b; name another dataset",
    "lists": "train/x does not hold numbers but lists of variable length",
    "elsewhere": "plain.h5\"; name that file instead",
    "view": "it is virtual, a view of other datasets that may be missing; name the files",
    "fill_value": "only 0 bytes are stored; write the numbers; if the fill value is meant, write",
  ]

  @Test(
    .enabled(if: InteroperabilityTests.hasH5py, "needs python3 with h5py, which is not here"))
  func areReadRightlyOrRefusedInTheRightWords() throws {
    try Places.withTemporaryFolder { folder in
      let made = try Program.python(Self.script, in: folder)
      try #require(made.status == 0, "\(made.errors)")
      var sums: [String: String] = [:]
      for name in [
        "plain", "half", "big_endian", "one_hot", "enumeration", "filters", "growing", "resized",
        "scales", "soft_link",
      ] {
        let outcome = try Program.run(
          OwnFileProgramTests.own + ["--set", "dataset.file=\(name).h5", "--output", name],
          in: folder)
        #expect(outcome.status == 0, "\(name): \(outcome.errors)")
        let report = try Program.run(["inspect", name], in: folder).output
        sums[name] = report.split(separator: "\n").first { $0.contains("sha256") }.map(String.init)
      }
      #expect(Set(sums.values).count == 1 && sums.count == 10, "\(sums)")
      for (name, problem) in Self.refused {
        let outcome = try Program.run(
          OwnFileProgramTests.own + ["--set", "dataset.file=\(name).h5"], in: folder)
        #expect(outcome.status == 65, "\(name): \(outcome.errors)")
        #expect(outcome.message.contains(problem), "\(name): \(outcome.errors)")
        #expect(outcome.ownErrors.count == 1, "\(name): \(outcome.errors)")
        let listed = try Program.run(["inspect", "\(name).h5"], in: folder)
        #expect(listed.status == 0, "\(name): \(listed.errors)")
      }
    }
  }
}
