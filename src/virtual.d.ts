// Types of the modules that scripts/inline-plugin.mjs makes while building: compiled kernels and nested bundles as text.

declare module 'virtual:millrace/kernels' {
  /** Decodes the inlined module of all kernels; each call gives new bytes that the caller owns. Lanes load its parts. */
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/core' {
  /** The same of what every lane has from the start. */
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/evaluate' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/text' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/numbers' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/strings' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/conditions' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/casts' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/hashes' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/times' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/integers' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/extremes' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/aggregates' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/partitions' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/joins' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/over' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/csv' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/kernels/json' {
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/worker' {
  /**
   * src/workers/worker-entry.ts and all it imports, minified, as one self-contained ES module. It leaves what its parts share with it in
   * `globalThis.millraceShared`.
   */
  export const workerSource: string
}

declare module 'virtual:millrace/lane/evaluate' {
  /** src/operators/evaluate.ts as an ES module that runs in `workerSource` only: what that has already is taken from there. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/numbers' {
  /** The same of src/operators/functions/numbers.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/strings' {
  /** The same of src/operators/functions/strings.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/conditions' {
  /** The same of src/operators/functions/conditions.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/casts' {
  /** The same of src/operators/functions/casts.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/hashes' {
  /** The same of src/operators/functions/hashes.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/userKernels' {
  /** The same of src/operators/functions/user-kernels.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/times' {
  /** The same of src/operators/functions/times.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/text' {
  /** The same of src/kernels/text.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/integers' {
  /** The same of src/kernels/aggregate/sum-int.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/extremes' {
  /** The same of src/kernels/aggregate/min-max.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/aggregates' {
  /** The same of src/kernels/aggregate/families.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/partitions' {
  /** The same of src/workers/partitions.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/joins' {
  /** The same of src/operators/joins-part.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/userCode' {
  /** The same of src/operators/user-code.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/sets' {
  /** The same of src/operators/grouping-sets.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/windowParts' {
  /** The same of src/workers/lane-windows.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/carried' {
  /** The same of src/operators/carried-texts.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/windows' {
  /** The same of src/operators/window-groups.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/shapes' {
  /** The same of src/operators/shapes-part.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/over' {
  /** The same of src/operators/over.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/csv' {
  /** The same of src/kernels/csv.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/json' {
  /** The same of src/kernels/json.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/files' {
  /** The same of src/formats/text-files.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/arrow' {
  /** The same of src/formats/arrow/lane-extension.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/spill' {
  /** The same of src/workers/spill.ts. */
  export const laneSource: string
}

declare module 'virtual:millrace/lane/parquet' {
  /** src/formats/parquet/lane-extension.ts and all it imports, minified, as one self-contained ES module. */
  export const laneSource: string
}
