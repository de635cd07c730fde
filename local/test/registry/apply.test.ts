import { describe, expect, test } from 'vitest';
import type { LocalRegistry } from '../../src/registry/start-registry.ts';
import { call, start } from './support.ts';

const OLD = 'gamla@postur.example';
const NEW = 'nyja@postur.example';

const startWithMember = async (): Promise<LocalRegistry> => {
  const registry = await start();
  registry.updateMember(1, { contact_info: { email: OLD, phone: '5551111' } });
  return registry;
};
const apply = async (registry: LocalRegistry, ...changes: object[]) => {
  const kennitala = registry.member(1).ssn;
  const body = { changes: changes.map((change) => ({ kennitala, action: 'update', ...change })) };
  return (await call(registry, '/api/sync/apply/', { method: 'POST', body })).json.results;
};
const edit = { change_id: 'c-1', changes: { 'profile.email': NEW }, expected: { 'profile.email': OLD } };

describe('POST /api/sync/apply/', () => {
  test('a change whose expected value holds is written and answers the new version', async () => {
    const registry = await startWithMember();
    expect(await apply(registry, edit)).toEqual([
      {
        ssn: registry.member(1).ssn.replace('-', ''),
        status: 'success',
        updated_fields: ['profile.email'],
        version: 2,
      },
    ]);
    expect(registry.member(1)).toMatchObject({ version: 2, contact_info: { email: NEW, phone: '5551111' } });
  });

  test('it is not offered back as a new edit', async () => {
    const registry = await startWithMember();
    await apply(registry, edit);
    const { json } = await call(registry, '/api/sync/changes/');
    expect(json.changes.map((row: { id: number }) => row.id)).toEqual([1]);
  });

  test('a value that is neither expected nor the new one is a conflict that answers it and writes nothing', async () => {
    const registry = await startWithMember();
    registry.updateMember(1, { contact_info: { email: 'thridja@postur.example' } });
    const [result] = await apply(registry, edit);
    expect(result).toMatchObject({
      status: 'conflict',
      current: { 'profile.email': 'thridja@postur.example' },
      version: 2,
    });
    expect(registry.member(1).contact_info.email).toBe('thridja@postur.example');
  });

  test('after a conflict the same change goes through with another expected value', async () => {
    const registry = await startWithMember();
    registry.updateMember(1, { contact_info: { email: 'thridja@postur.example' } });
    await apply(registry, edit);
    const [result] = await apply(registry, {
      ...edit,
      expected: { 'profile.email': 'thridja@postur.example' },
    });
    expect(result.status).toBe('success');
  });

  test('one path in conflict keeps the others from being written', async () => {
    const registry = await startWithMember();
    const [result] = await apply(registry, {
      changes: { 'profile.email': NEW, 'profile.phone': '5552222' },
      expected: { 'profile.email': OLD, 'profile.phone': '5559999' },
    });
    expect(result).toMatchObject({
      status: 'conflict',
      current: { 'profile.email': OLD, 'profile.phone': '5551111' },
    });
    expect(registry.member(1).contact_info.email).toBe(OLD);
  });

  test('a repeated change id answers as before and writes nothing, even after a later change', async () => {
    const registry = await startWithMember();
    const first = await apply(registry, edit);
    registry.updateMember(1, { contact_info: { email: 'seinna@postur.example' } });
    expect(await apply(registry, edit)).toEqual(first);
    expect(registry.member(1)).toMatchObject({
      version: 3,
      contact_info: { email: 'seinna@postur.example' },
    });
  });

  test('a value that the member has already succeeds without a new version', async () => {
    const registry = await startWithMember();
    const [result] = await apply(registry, {
      changes: { 'profile.email': OLD },
      expected: { 'profile.email': 'x' },
    });
    expect(result).toMatchObject({ status: 'success', updated_fields: [], version: 1 });
  });

  test.each([
    ['profile.phone', '555-1111', 'another spelling of the same phone'],
    ['profile.phone', '+354 555 1111', 'the same phone with its country'],
  ])('expected %s %s: %s is no conflict', async (path, expected) => {
    const registry = await startWithMember();
    const [result] = await apply(registry, {
      changes: { [path]: '5553333' },
      expected: { [path]: expected },
    });
    expect(result.status).toBe('success');
    expect(registry.member(1).contact_info.phone).toBe('5553333');
  });

  test('an address and the consents are written in the registry’s spelling', async () => {
    const registry = await startWithMember();
    const address = { street: 'Birkiflöt', number: '4', letter: 'B', postal_code: '600', city: 'Akureyri' };
    const [result] = await apply(registry, {
      changes: {
        'profile.addresses': [{ ...address, country: 'IS', is_default: true }],
        'profile.reachable': false,
        'profile.groupable': true,
      },
    });
    expect(result.status).toBe('success');
    expect(registry.member(1)).toMatchObject({
      local_address: { street: 'Birkiflöt', number: 4, letter: 'B', postal_code: 600, city: 'Akureyri' },
      reachable: false,
      groupable: true,
    });
  });

  test.each([
    ['an unknown member', { kennitala: '0101300999', changes: { 'profile.email': NEW } }],
    ['a field that is the registry’s own', { changes: { 'profile.name': 'X' } }],
    ['a field named like an object’s own', { changes: { constructor: 'X' } }],
    ['an email that is none', { changes: { 'profile.email': 'ekki netfang' } }],
    ['a consent that is no boolean', { changes: { 'profile.reachable': 'yes' } }],
    [
      'two Icelandic addresses',
      { changes: { 'profile.addresses': [{ street: 'A', is_default: true }, { street: 'B' }] } },
    ],
    ['a delete', { action: 'delete', changes: {} }],
    ['a change of nothing', { changes: {} }],
    ['a create', { action: 'create', changes: {} }],
  ])('%s is an error, writes nothing, and leaves the other changes alone', async (_, bad) => {
    const registry = await startWithMember();
    const results = await apply(registry, { ...bad, change_id: 'bad' }, edit);
    expect(results.map((result: { status: string }) => result.status)).toEqual(['error', 'success']);
    expect(results[0].message).toEqual(expect.any(String));
    expect(registry.member(1).version).toBe(2);
  });

  test('a request of the wrong form answers 400 by field', async () => {
    const registry = await start();
    const answer = await call(registry, '/api/sync/apply/', {
      method: 'POST',
      body: { changes: [{ action: 'update' }] },
    });
    expect(answer.status).toBe(400);
    expect(Object.keys(answer.json)).toContain('changes.0.kennitala');
  });

  test('without the companion app the last writer wins, and no version is told', async () => {
    const registry = await start({ companion: false });
    registry.updateMember(1, { contact_info: { email: 'thridja@postur.example' } });
    expect(await apply(registry, edit)).toEqual([
      { ssn: registry.member(1).ssn.replace('-', ''), status: 'success', updated_fields: ['profile.email'] },
    ]);
    expect((await call(registry, `/api/sync/member/${registry.member(1).ssn}/`)).json).not.toHaveProperty(
      'version',
    );
  });
});
