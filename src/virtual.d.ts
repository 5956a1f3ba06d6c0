// Types of the modules that scripts/inline-plugin.mjs makes while building: compiled kernels and nested bundles as text.

declare module 'virtual:millrace/kernels' {
  /** Decodes the inlined kernel module; each call gives new bytes that the caller owns. */
  export const kernels: () => Promise<Uint8Array<ArrayBuffer>>
}

declare module 'virtual:millrace/worker' {
  /**
   * src/workers/worker-entry.ts and all it imports, minified, as one self-contained script: for Node an ES module, for
   * browsers a script that runs with and without `type: 'module'`.
   */
  export const workerSource: string
}

declare module 'virtual:millrace/lane/parquet' {
  /** src/formats/parquet/lane-extension.ts and all it imports, minified, as one self-contained ES module. */
  export const laneSource: string
}
