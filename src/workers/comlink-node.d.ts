/** Comlink's adapter for Node's ports is published without types beside its module. */
declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { Endpoint } from 'comlink'
  // biome-ignore lint/style/noDefaultExport: it is what Comlink exports
  export default function nodeEndpoint(port: unknown): Endpoint
}
