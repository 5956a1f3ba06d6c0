export function inferJson(_s: Uint8Array, _w: boolean, _o: any): any {
  throw new Error('later')
}
