import { describe, expect, it } from 'vitest';
import { asSyncError, ERROR_CODES, type ErrorCode, SyncError, stackFrames } from '../../src/lib/errors.ts';

describe('the table of errors', () => {
  it.each(Object.entries(ERROR_CODES))(
    '%s has a meaning for people and a status for callers',
    (code, row) => {
      expect(row.meaning).toMatch(/^[a-zA-Z].{10,}/);
      expect(row.httpStatus).toBeGreaterThanOrEqual(400);
      const error = new SyncError(code as ErrorCode, 'what, where, what to do');
      expect(error).toMatchObject({ code, retryable: row.retryable, httpStatus: row.httpStatus });
    },
  );
});

describe('an error that is not ours', () => {
  it('becomes internal without its message, which may quote data', () => {
    const failure = asSyncError(new TypeError('cannot read 0101302989'));
    expect(failure.code).toBe('internal');
    expect(failure.message).toBe('Unexpected TypeError; the stack in the log says where.');
    expect(asSyncError('text thrown').message).toBe('Unexpected string; the stack in the log says where.');
  });

  it('leaves its frames, which name files and lines only', () => {
    const failure = asSyncError(new Error('0101302989\nsecond line 0101302989'));
    expect(stackFrames(failure)).toContain('errors.test.ts');
    expect(stackFrames(failure)).not.toContain('0101302989');
    expect(stackFrames('text')).toBe('');
  });

  it('stays what it is when it is ours', () => {
    const ours = new SyncError('empty_export', 'nothing there', { details: { received: 0 } });
    expect(asSyncError(ours)).toBe(ours);
  });
});
