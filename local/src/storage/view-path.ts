import { createHash } from 'node:crypto';

const MAX_SEGMENT_BYTES = 200;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped here.
const UNSAFE = /[%\\:*?"<>|\x00-\x1f\x7f]/g;

/**
 * Where an object's bytes are shown under the bucket's folder: the name itself for ordinary names. What a
 * file system cannot hold, or what would leave the folder, is percent-encoded. A literal `%` is encoded too,
 * so no two names share a path.
 */
export function viewPath(name: string): string {
  return name.split('/').map(encodeSegment).join('/');
}

/**
 * The second choice, for `a` beside `a/b`: a folder and a file cannot have one name. It is flat, and its
 * trailing `%` is followed by nothing, which `viewPath` never produces.
 */
export function collisionPath(name: string): string {
  const flat = name.split('/').map(encodeSegment).join('%2F');
  return `${shorten(flat)}%`;
}

function encodeSegment(segment: string): string {
  if (segment === '') return '%';
  if (segment === '.' || segment === '..') return segment.replaceAll('.', '%2E');
  return shorten(segment.replace(UNSAFE, percent));
}

function shorten(text: string): string {
  if (Buffer.byteLength(text) <= MAX_SEGMENT_BYTES) return text;
  return `%long-${createHash('sha256').update(text).digest('hex')}`;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
