import { readFileSync } from 'node:fs';
import { z } from 'zod';

const FIREBASE_JSON = new URL('../../../firebase.json', import.meta.url);

const config = z.object({
  hosting: z.object({
    headers: z.array(
      z.object({
        source: z.string(),
        headers: z.array(z.object({ key: z.string(), value: z.string() })),
      }),
    ),
  }),
});

/**
 * The headers that Firebase Hosting sends with every page, read from what is deployed, so that a page that its
 * Content-Security-Policy would break is broken here too. Those of some paths only (caching) are left out.
 * @throws Error when `firebase.json` has no hosting.
 */
export const readHostingHeaders = (): readonly { readonly key: string; readonly value: string }[] => {
  const { hosting } = config.parse(JSON.parse(readFileSync(FIREBASE_JSON, 'utf8')));
  return hosting.headers.filter(({ source }) => source === '**').flatMap(({ headers }) => headers);
};
