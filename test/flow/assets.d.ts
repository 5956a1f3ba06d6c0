// Files that Vite serves to the browser suites, by their address.

declare module '*.parquet?url' {
  const url: string
  // biome-ignore lint/style/noDefaultExport: what Vite makes of an address has no other export
  export default url
}

declare module '*.arrow?url' {
  const url: string
  // biome-ignore lint/style/noDefaultExport: what Vite makes of an address has no other export
  export default url
}

declare module '*.json?url' {
  const url: string
  // biome-ignore lint/style/noDefaultExport: what Vite makes of an address has no other export
  export default url
}
