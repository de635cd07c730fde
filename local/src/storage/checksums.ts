import { createHash } from 'node:crypto';
import { encodeCrc32c, updateCrc32c } from './crc32c.ts';
import { badRequest } from './errors.ts';

/** Both in base64, as the API writes them. */
export interface Checksums {
  readonly md5Hash: string;
  readonly crc32c: string;
}

export interface ChecksumStream {
  update(bytes: Uint8Array): void;
  finish(): Checksums;
}

export function makeChecksumStream(): ChecksumStream {
  const md5 = createHash('md5');
  let crc = 0;
  return {
    update(bytes) {
      md5.update(bytes);
      crc = updateCrc32c(crc, bytes);
    },
    finish: () => ({ md5Hash: md5.digest('base64'), crc32c: encodeCrc32c(crc) }),
  };
}

/**
 * What the client says that it sent: in the object's metadata (`md5Hash`, `crc32c`), in `X-Goog-Hash:
 * crc32c=…,md5=…`, or in `Content-MD5`. All that are given must hold.
 */
export function collectClaims(
  metadata: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Partial<Checksums>[] {
  const claims: Partial<Checksums>[] = [];
  if (typeof metadata['md5Hash'] === 'string') claims.push({ md5Hash: metadata['md5Hash'] });
  if (typeof metadata['crc32c'] === 'string') claims.push({ crc32c: metadata['crc32c'] });
  for (const pair of String(headers['x-goog-hash'] ?? '').split(',')) {
    const [, algorithm, value] = /^\s*(crc32c|md5)=(\S+)\s*$/.exec(pair) ?? [];
    if (algorithm === 'md5' && value) claims.push({ md5Hash: value });
    if (algorithm === 'crc32c' && value) claims.push({ crc32c: value });
  }
  const contentMd5 = headers['content-md5'];
  if (typeof contentMd5 === 'string') claims.push({ md5Hash: contentMd5 });
  return claims;
}

/** @throws ApiError 400 `invalid` when the bytes that arrived are not those that the client meant to send. */
export function assertClaimsHold(actual: Checksums, claims: readonly Partial<Checksums>[]): void {
  for (const claim of claims) {
    if (claim.md5Hash !== undefined && claim.md5Hash !== actual.md5Hash) {
      throw badRequest(
        `Provided MD5 hash "${claim.md5Hash}" doesn't match calculated MD5 hash "${actual.md5Hash}".`,
      );
    }
    if (claim.crc32c !== undefined && claim.crc32c !== actual.crc32c) {
      throw badRequest(
        `Provided CRC32C "${claim.crc32c}" doesn't match calculated CRC32C "${actual.crc32c}".`,
      );
    }
  }
}
