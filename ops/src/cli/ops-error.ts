/** A failure whose message is for the operator as it stands: what went wrong and what to do. No personal data in it. */
export class OpsError extends Error {
  override readonly name = 'OpsError';
}
