export const ORIGINS = ['registry', 'two-way', 'reconcile'] as const;

/**
 * By which way a document was last written by a server. A tombstone of a reading, which found the member gone and knows no
 * version of that, is `reconcile`, whoever read.
 */
export type Origin = (typeof ORIGINS)[number];
