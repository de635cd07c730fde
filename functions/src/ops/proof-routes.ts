import { createHash } from 'node:crypto';
import { defineRoute, type Route, type RouteInput } from '../http/route.ts';
import { SyncError } from '../lib/errors.ts';
import { toSignedHead } from '../proof/chain.ts';
import type { PublicKey } from '../proof/chain-key.ts';
import type { FrozenRoll } from '../proof/ports.ts';
import { receiptText } from '../proof/receipt.ts';
import { compareRolls, parseMoment, rollAt } from '../proof/roll.ts';
import { type Verification, verifyRecords } from '../proof/verify.ts';
import { byWhom, type OpsDependencies } from './dependencies.ts';
import * as proof from './schemas/proof.ts';

/** Fifty thousand records and two thousand lists; below the 20 minutes of `watchMirrors` and the 30 of `opsApi`. */
const VERIFY_LIMIT_MS = 900_000;

/**
 * A walk over the record, whoever asked for it. What it found is kept for the status, and alerts when the record is not whole.
 * Throws what `verifyRecords` throws, and `store_unavailable`.
 */
export const verifyNow = async ({
  verify,
  verified,
  logs,
}: Pick<OpsDependencies, 'verify' | 'verified' | 'logs'>): Promise<Verification> => {
  const found = await verifyRecords(verify, AbortSignal.timeout(VERIFY_LIMIT_MS));
  const { at, whole, findingsInAll, records, versions } = found;
  // Before it is kept: what nobody could write down is told all the same.
  if (!whole) logs.concern({ code: 'chain_broken', count: findingsInAll });
  await verified.write({ at, whole, findings: findingsInAll, records, versions: versions.checked });
  return found;
};

/** Routes that prove what was, and keep it for an election. */
export const proofRoutes = (ops: OpsDependencies): Route[] => [
  defineRoute({
    method: 'POST',
    path: '/verify',
    summary: 'Checks every record and every kept version of the list',
    answer: proof.verifyAnswer,
    handle: async () => {
      const { streams, at, ...found } = await verifyNow(ops);
      return {
        ...found,
        code: found.whole ? null : ('chain_broken' as const),
        at: at.toISOString(),
        streams: streams.map(({ stream, links, first, head }) => ({
          stream,
          links,
          first,
          head: head === null ? null : toSignedHead(head),
        })),
        versions: { ...found.versions },
        findings: found.findings.map((finding) => ({ ...finding })),
        publicKeys: found.publicKeys.map((key) => ({ ...key })),
      };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/roll',
    summary:
      'The list of a moment, or a frozen one, with a signed receipt; with the people the look is recorded',
    body: proof.rollBody,
    answer: proof.rollAnswer,
    handle: async (input) => {
      const { at, name, list } = input.body;
      if (list) await recordRoll(ops, input, 'view_roll', name);
      const keys = await ops.roll.keys.all();
      const publicKeys = keys.map(({ id, pem }) => ({ id, pem }));
      if (name !== undefined) {
        const found = await ops.frozen.read(name);
        if (found === null) throw new SyncError('not_found', 'No roll is frozen under that name.');
        const { roll, bytes } = found;
        assertAsFrozen(found, keys);
        return {
          receipt: { ...roll.receipt },
          frozen: toWire(roll),
          list: list ? textOf(bytes) : null,
          publicKeys,
        };
      }
      const { receipt, bytes } = await rollAt(parseMoment(at ?? '', ops.now()), ops.roll);
      return { receipt, frozen: null, list: list ? textOf(bytes) : null, publicKeys };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/roll/compare',
    summary: 'Who came and who went between two moments; recorded',
    body: proof.compareBody,
    answer: proof.compareAnswer,
    handle: async (input) => {
      const moments = [
        parseMoment(input.body.from, ops.now()),
        parseMoment(input.body.to, ops.now()),
      ] as const;
      await recordRoll(ops, input, 'compare_rolls');
      const from = await rollAt(moments[0], ops.roll);
      const to = await rollAt(moments[1], ops.roll);
      return { from: from.receipt, to: to.receipt, ...compareRolls(from.bytes, to.bytes) };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/rolls',
    summary: 'The frozen rolls',
    answer: proof.frozenRolls,
    handle: async () => ({ rolls: (await ops.frozen.list()).map(toWire) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/rolls',
    summary: 'Freezes the list of a moment until the end of a day; recorded',
    body: proof.freezeBody,
    answer: proof.frozenRoll,
    handle: async (input) => {
      const { name, at, until: day, reason } = input.body;
      const until = new Date(`${day}T23:59:59.999Z`);
      if (until <= ops.now())
        throw new SyncError('invalid_request', 'The day until which it is kept is over.');
      const { receipt, bytes } = await rollAt(parseMoment(at, ops.now()), ops.roll);
      const action = await recordRoll(ops, input, 'freeze_roll', name, reason);
      const roll = { name, until, by: action.by, reason, frozenAt: action.at, receipt };
      await ops.frozen.freeze(roll, bytes);
      return toWire(roll);
    },
  }),
];

/** On record before anything is shown or kept. `changeId` is the name of a frozen roll. */
const recordRoll = async (
  ops: OpsDependencies,
  input: RouteInput<unknown, unknown, unknown>,
  action: 'view_roll' | 'compare_rolls' | 'freeze_roll',
  name?: string,
  reason?: string,
) => {
  const taken = {
    ...byWhom(input, ops),
    action,
    mirror: 'roster' as const,
    ...(name !== undefined && { changeId: name }),
    ...(reason !== undefined && { reason }),
  };
  await ops.actions.record(taken);
  return taken;
};

/** Throws `chain_broken` for a frozen roll that is not what was frozen, or whose receipt no key in force has signed. */
const assertAsFrozen = (
  { roll: { receipt }, bytes }: { readonly roll: FrozenRoll; readonly bytes: Uint8Array },
  keys: readonly PublicKey[],
): void => {
  const key = keys.find(({ id }) => id === receipt.key);
  if (key === undefined)
    throw new SyncError(
      'chain_broken',
      'No key in force has signed the receipt of this frozen roll: enable the version of chain-signing-key that did, or check it with its public key (npm run verify-roll).',
    );
  const isSigned = key.verifies(receiptText(receipt), receipt.signature);
  if (isSigned && createHash('sha256').update(bytes).digest('hex') === receipt.sha256) return;
  throw new SyncError('chain_broken', 'The frozen roll is not the list that its receipt says.');
};

const toWire = ({ until, frozenAt, receipt, ...roll }: FrozenRoll) => ({
  ...roll,
  until: until.toISOString(),
  frozenAt: frozenAt.toISOString(),
  receipt: { ...receipt },
});

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
