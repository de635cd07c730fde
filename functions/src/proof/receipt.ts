import { createHash } from 'node:crypto';
import type { PublicKey } from './chain-key.ts';
import { canonicalText, judgeHead, type SignedHead } from './signed.ts';

/** What a roll is, and how it is known: signed as a whole, and so checked with the public key alone. Names nobody. */
export interface Receipt {
  readonly format: 'membership-roll/1';
  /** The moment that was asked about; ISO 8601, UTC, as all times here. */
  readonly at: string;
  readonly count: number;
  /** Of the file's bytes. */
  readonly sha256: string;
  readonly list: {
    readonly generation: string;
    readonly publishedAt: string;
    /** Null: it is the published list still. */
    readonly replacedAt: string | null;
  };
  /** The run that published it; null where its record has expired. */
  readonly run: {
    readonly runId: string;
    readonly planId: string | null;
    readonly approvedBy: string | null;
    /** The version that a rollback brought back; null for a list that followed the registry. */
    readonly rollbackOf: string | null;
  } | null;
  readonly registry: {
    /**
     * When a run last found, or made, the list equal to the registry, by that moment; null where that is not known any
     * more.
     */
    readonly equalAt: string | null;
    /** From then to the moment that was asked about: what the registry learned meanwhile may be missing. */
    readonly ageSeconds: number | null;
    /** Runs between the two that changed nothing: refused by the guard, failed, or skipped by a pause. */
    readonly notDone: number;
  };
  /** The head of the chain of records that the list remembers; null for a list that is older than the chain. */
  readonly chain: SignedHead | null;
  readonly issuedAt: string;
  readonly key: string;
  /** Ed25519 over the rest, base64url. */
  readonly signature: string;
}

export const receiptText = ({ signature: _, ...rest }: Omit<Receipt, 'signature'> & { signature?: string }) =>
  `membership-sync roll 1\n${canonicalText(rest)}`;

/** Lines of the agreed form: ten digits, sorted, unique, each ended. */
const LINE = /^\d{10}$/;

/**
 * What is wrong with a roll and its receipt; nothing when it is what was in force. Pure.
 *
 * @param bytes the file, as `ops roll --out` wrote it
 */
export const faultsOfRoll = (bytes: Uint8Array, receipt: Receipt, keys: readonly PublicKey[]): string[] => {
  if (receipt.format !== 'membership-roll/1') return ['the receipt is of another format'];
  const faults: string[] = [];
  const known = new Map(keys.map((key) => [key.id, key]));
  const key = known.get(receipt.key);
  if (key === undefined) faults.push(`the receipt names the key ${receipt.key}, and this is not it`);
  else if (!key.verifies(receiptText(receipt), receipt.signature)) {
    faults.push('the receipt is not what was signed');
  }
  if (receipt.chain !== null && judgeHead(receipt.chain, known) !== 'authentic') {
    faults.push('the head of the chain in the receipt is not signed by a key that is known here');
  }
  if (createHash('sha256').update(bytes).digest('hex') !== receipt.sha256) {
    faults.push('the file is not the list of the receipt: its SHA-256 is another');
  }
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  if (lines.pop() !== '') faults.push('the last line of the file is not ended');
  if (lines.length !== receipt.count) {
    faults.push(`the file has ${lines.length} lines, the receipt says ${receipt.count}`);
  }
  const unsorted = lines.some((line, n) => n > 0 && line <= (lines[n - 1] ?? ''));
  if (unsorted || lines.some((line) => !LINE.test(line))) {
    faults.push('the file is not sorted, has a number twice, or a line that is none');
  }
  return faults;
};
