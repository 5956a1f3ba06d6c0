/** Work that ends with a signal of somebody else's. */

/**
 * Aborts these, with its reason, as soon as the signal is aborted. What it returns ends that. Several have a controller each where many listen: of more than ten
 * listeners to one Node.js warns.
 */
export function followSignal(signal: AbortSignal | undefined, ...cancels: readonly AbortController[]): () => void {
  const forward = () => {
    for (const cancel of cancels) cancel.abort(signal?.reason)
  }
  if (signal?.aborted === true) forward()
  else signal?.addEventListener('abort', forward)
  return () => signal?.removeEventListener('abort', forward)
}
