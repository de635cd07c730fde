/** A rules expression failed, as it would in production: `allow` counts it as false, `&&` and `||` may absorb it. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}

/** The evaluator does not know the construct. It stops the test run: a guess would be a false allow or a false deny. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';

  constructor(construct: string) {
    super(`unsupported: ${construct}`);
  }
}

/** One of the published limits of Security Rules was passed; production denies the request whatever else would allow it. */
export class LimitError extends Error {
  override readonly name = 'LimitError';
}
