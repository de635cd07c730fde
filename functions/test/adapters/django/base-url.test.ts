import { describe, expect, it } from 'vitest';
import { buildUrl, parseBaseUrl } from '../../../src/adapters/django/registry-http.ts';
import { isSyncError } from '../../../src/lib/errors.ts';

const thrownBy = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

describe('the base URL', () => {
  it.each([
    ['https://registry.example.is', 'https://registry.example.is/'],
    ['https://registry.example.is/felagar', 'https://registry.example.is/felagar/'],
    ['https://registry.example.is:8443/felagar/', 'https://registry.example.is:8443/felagar/'],
    ['http://127.0.0.1:8000', 'http://127.0.0.1:8000/'],
    ['http://127.9.9.9', 'http://127.9.9.9/'],
    ['http://localhost:8000/x', 'http://localhost:8000/x/'],
    ['http://[::1]:8000', 'http://[::1]:8000/'],
  ])('%s is accepted', (text, href) => {
    expect(parseBaseUrl(text).href).toBe(href);
  });

  it.each([
    ['', /is not an address/],
    ['registry.example.is', /is not an address/],
    ['/felagar', /is not an address/],
    ['ftp://registry.example.is', /is not an address/],
    ['http://registry.example.is', /plain http/],
    ['http://127.0.0.1.example.is', /plain http/],
    ['http://127.example.is', /plain http/],
    ['http://localhost.example.is', /plain http/],
    ['http://0.0.0.0', /plain http/],
    ['http://[::ffff:10.0.0.1]', /plain http/],
    ['https://user@registry.example.is', /password/],
    ['https://user:swordfish@registry.example.is', /password/],
    ['https://registry.example.is/?x=1', /query/],
    ['https://registry.example.is/#x', /query or a fragment/],
  ])('%j is refused, by the name of the setting and without its value', (text, says) => {
    const error = thrownBy(() => parseBaseUrl(text));
    if (!isSyncError(error, 'config_invalid')) throw error;
    expect(error.message).toMatch(/^DJANGO_BASE_URL /);
    expect(error.message).toMatch(says);
    expect(error.message).not.toContain('swordfish');
  });

  it('may be plain http where that is allowed on purpose, but still holds no password', () => {
    expect(parseBaseUrl('http://registry.example.is', true).href).toBe('http://registry.example.is/');
    expect(thrownBy(() => parseBaseUrl('http://u:p@registry.example.is', true))).toMatchObject({
      code: 'config_invalid',
    });
  });
});

describe('an address below it', () => {
  const base = parseBaseUrl('https://registry.example.is/felagar');

  it.each([
    ['/api/members/kennitalas/', {}, 'https://registry.example.is/felagar/api/members/kennitalas/'],
    ['api/sync/status/', {}, 'https://registry.example.is/felagar/api/sync/status/'],
    [
      '/api/sync/member/:ssn/',
      { params: { ssn: '0101302989' } },
      'https://registry.example.is/felagar/api/sync/member/0101302989/',
    ],
    [
      '/api/sync/member/:ssn/',
      { params: { ssn: '../a?b#c' } },
      'https://registry.example.is/felagar/api/sync/member/..%2Fa%3Fb%23c/',
    ],
    [
      '/api/members/',
      { query: { page: '1', modified_since: '2026-11-20T03:00:00+00:00' } },
      'https://registry.example.is/felagar/api/members/?page=1&modified_since=2026-11-20T03%3A00%3A00%2B00%3A00',
    ],
  ])('%s with %j', (route, part, href) => {
    expect(buildUrl(base, route, part).href).toBe(href);
  });

  it.each([[{}], [{ ssn: '' }], [{ ssn: '..' }], [{ ssn: '.' }]])(
    'is not built when a value is missing or would lead elsewhere: %j',
    (params) => {
      const error = thrownBy(() => buildUrl(base, '/api/sync/member/:ssn/', { params }));
      expect(error).toMatchObject({ code: 'internal' });
    },
  );
});
