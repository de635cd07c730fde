import { quoted } from '../cli/text.ts';
import type { CheckedList } from './check-list.ts';

export interface Upload {
  readonly file: string;
  readonly bucket: string;
  readonly object: string;
  /** The version that was compared with; `0`: there must be none. */
  readonly generation: string;
  readonly now: Date;
}

/** The command that publishes the file, unless somebody else has published since: then it is refused. */
export const uploadCommand = (
  { memberCount, sha256 }: Pick<CheckedList, 'memberCount' | 'sha256'>,
  { file, bucket, object, generation, now }: Upload,
): string =>
  [
    'gcloud storage cp',
    quoted(file),
    quoted(`gs://${bucket}/${object}`),
    `--if-generation-match=${generation}`,
    quoted('--content-type=text/plain; charset=utf-8'),
    `--custom-metadata=syncedAt=${now.toISOString()},memberCount=${memberCount},source=by-hand,sha256=${sha256}`,
  ].join(' ');
