/**
 * An answer other than success, in Identity Toolkit's form. Its clients read the code from the message's first word,
 * such as `EMAIL_NOT_FOUND` or `INVALID_PASSWORD`.
 */
export class AuthApiError extends Error {
  readonly status: 400 | 401 | 403 | 404 | 501;

  constructor(status: AuthApiError['status'], message: string) {
    super(message);
    this.name = 'AuthApiError';
    this.status = status;
  }

  toJSON(): object {
    const { status: code, message } = this;
    return { error: { code, message, errors: [{ message, reason: 'invalid', domain: 'global' }] } };
  }
}
