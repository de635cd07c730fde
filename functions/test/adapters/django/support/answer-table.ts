import type { ErrorCode, ErrorDetails } from '../../../../src/lib/errors.ts';
import * as answers from './answers.ts';
import type { Answer } from './registry-server.ts';

export interface AnswerCase {
  readonly when: string;
  readonly answer: Answer;
  readonly code: ErrorCode;
  /** Tried again until the deadline, or once only. */
  readonly retried: boolean;
  readonly details?: ErrorDetails;
  /** What an operator must be able to read. */
  readonly says?: RegExp;
}

const withEntry = (entry: unknown) => ({ ...answers.EXPORT, kennitalas: [...answers.LIST, entry] });
const UNREACHABLE = { code: 'registry_unreachable', retried: true } as const;
const TIMEOUT = { code: 'registry_timeout', retried: true } as const;
const UNAVAILABLE = { code: 'registry_unavailable', retried: true } as const;
const INVALID = { code: 'registry_invalid_response', retried: false } as const;
const REJECTED = { code: 'registry_rejected', retried: false } as const;
const TOO_LARGE = { code: 'registry_too_large', retried: false } as const;

/** What a registry that can be reached may answer instead of an export, and what each becomes. */
export const FAILING_ANSWERS: readonly AnswerCase[] = [
  { when: 'a reset before the answer', answer: answers.reset, ...UNREACHABLE },
  { when: 'a reset in mid-body', answer: answers.resetInBody, ...UNREACHABLE },
  { when: 'the end of the last connection in mid-body', answer: answers.endInLastBody, ...UNREACHABLE },
  {
    when: 'a part of a body without length',
    answer: answers.undelimited('{"count": 3, "kenn'),
    ...UNREACHABLE,
  },
  { when: 'less than its content-length', answer: answers.shortBody, ...UNREACHABLE },
  { when: 'a gzip body that breaks off', answer: answers.truncatedGzip, ...UNREACHABLE },
  { when: 'a brotli body that breaks off', answer: answers.truncatedBrotli, ...UNREACHABLE },
  { when: 'half a status line', answer: answers.raw('HTTP/1.1 20'), ...UNREACHABLE },
  { when: 'an empty answer', answer: answers.raw(''), ...UNREACHABLE },

  { when: 'no headers in time', answer: answers.silence, ...TIMEOUT, says: /within 150 ms/ },
  { when: 'a body that trickles', answer: answers.trickle, ...TIMEOUT, says: /within 150 ms/ },

  {
    when: '403',
    answer: answers.status(403),
    code: 'registry_unauthorized',
    retried: false,
    details: { status: 403 },
  },

  ...[400, 404, 405, 406, 410, 418, 451].map(
    (status): AnswerCase => ({
      when: `${status}`,
      answer: answers.status(status),
      ...REJECTED,
      details: { status },
      says: new RegExp(`\\(${status}\\).+DJANGO_BASE_URL`),
    }),
  ),
  {
    when: 'a 304 that was not asked for',
    answer: answers.status(304, {}, ''),
    ...REJECTED,
    details: { status: 304 },
  },
  {
    when: 'a redirect to another origin',
    answer: answers.redirect(302, 'https://login.example.is/'),
    ...REJECTED,
    details: { status: 302 },
    says: /another origin/,
  },
  {
    when: 'a redirect without an address',
    answer: answers.status(301),
    ...REJECTED,
    details: { status: 301 },
  },
  { when: 'a redirect to itself', answer: answers.redirect(307, ''), ...REJECTED, details: { status: 307 } },
  {
    when: 'a redirect in circles',
    answer: answers.redirect(308, '?again'),
    ...REJECTED,
    says: /again and again/,
  },
  { when: 'a redirect to no address', answer: answers.redirect(302, 'http://:0/'), ...REJECTED },

  ...[408, 429, 500, 502, 503, 504].map(
    (status): AnswerCase => ({
      when: `${status}`,
      answer: answers.status(status),
      ...UNAVAILABLE,
      says: /overloaded/,
    }),
  ),
  { when: '501, which does not pass', answer: answers.status(501), ...UNAVAILABLE, retried: false },

  { when: 'HTML', answer: answers.html(), ...INVALID, says: /answered HTML, not JSON/ },
  { when: 'HTML that calls itself JSON', answer: answers.body('<html>'), ...INVALID, says: /HTML/ },
  {
    when: 'truncated JSON',
    answer: answers.body(JSON.stringify(answers.EXPORT).slice(0, -9)),
    ...INVALID,
    says: /a part/,
  },
  { when: 'nothing at all', answer: answers.body(''), ...INVALID, says: /empty/ },
  { when: '204', answer: answers.status(204, {}, ''), ...INVALID, says: /204/ },
  { when: '206', answer: answers.status(206, {}, JSON.stringify(answers.EXPORT)), ...INVALID, says: /206/ },
  {
    when: 'bytes that are not UTF-8',
    answer: answers.body(Buffer.from('{"a":"\xff"}', 'latin1')),
    ...INVALID,
    says: /UTF-8/,
  },
  { when: 'UTF-16', answer: answers.body(Buffer.from('\ufeff{}', 'utf16le')), ...INVALID },
  {
    when: 'another protocol',
    answer: answers.raw('220 smtp.example.is ESMTP 0101302989\r\n'),
    ...INVALID,
    says: /HTTP/,
  },
  {
    when: 'a chunk without a size',
    answer: answers.raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0101302989 here\r\n'),
    ...INVALID,
    says: /HTTP/,
  },
  {
    when: 'a body that is not gzip, as it claims',
    answer: answers.body('{"count": 0}', { 'content-encoding': 'gzip' }),
    ...INVALID,
    says: /compressed/,
  },
  {
    when: 'a body that is not brotli, as it claims',
    answer: answers.body(Buffer.alloc(40, 0xff), { 'content-encoding': 'br' }),
    ...INVALID,
    says: /compressed/,
  },
  {
    when: 'a coding that was not asked for',
    answer: answers.json(answers.EXPORT, { 'content-encoding': 'exi' }),
    ...INVALID,
    says: /content-encoding/,
  },
  ...(
    [
      ['null', null, 'the answer'],
      ['a list', answers.LIST, 'the answer'],
      ['a string', answers.LIST[0], 'the answer'],
      ['an object without keys', {}, 'count'],
      ['no count', { kennitalas: [] }, 'count'],
      ['a count as text', { ...answers.EXPORT, count: '3' }, 'count'],
      ['a count that is not whole', { ...answers.EXPORT, count: 2.5 }, 'count'],
      ['a count below zero', { ...answers.EXPORT, count: -1 }, 'count'],
      ['no list', { count: 3 }, 'kennitalas'],
      ['null for the list', { count: 3, kennitalas: null }, 'kennitalas'],
      ['a map for the list', { count: 3, kennitalas: { '0101302989': 1 } }, 'kennitalas'],
      ['a number among the entries', withEntry(1_012_345_678), 'kennitalas[3]'],
      ['null among the entries', withEntry(null), 'kennitalas[3]'],
      ['a member among the entries', withEntry({ ssn: answers.LIST[0] }), 'kennitalas[3]'],
      ['an export time that is none', { ...answers.EXPORT, exported_at: 'by 0101302989' }, 'exported_at'],
      ['an export time as a number', { ...answers.EXPORT, exported_at: 1_763_607_600 }, 'exported_at'],
    ] as const
  ).map(
    ([when, value, path]): AnswerCase => ({
      when,
      answer: answers.json(value),
      ...INVALID,
      details: { path },
      says: new RegExp(`: ${path.replace(/[[\]]/g, '\\$&')} is `),
    }),
  ),

  {
    when: 'more bytes than the limit',
    answer: answers.body(Buffer.alloc(5_000, ' ')),
    ...TOO_LARGE,
    says: /4096 bytes/,
  },
  { when: 'a gzip bomb', answer: answers.gzip(Buffer.alloc(3_000_000, ' ')), ...TOO_LARGE },
  { when: 'a brotli bomb', answer: answers.brotli(' '.repeat(5_000_000)), ...TOO_LARGE },
  {
    when: 'headers without end',
    answer: answers.status(200, { 'x-long': 'x'.repeat(20_000) }),
    ...TOO_LARGE,
  },
];
