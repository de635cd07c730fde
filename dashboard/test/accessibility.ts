import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** The rules of axe that a page breaks, each with where: every rule for WCAG 2.2 A and AA, and the best practices. */
export const violationsOf = async (page: Page): Promise<string[]> => {
  // The protocol of the browser's tools puts it in, so the page's Content-Security-Policy stays as strict as it is.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const found = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
};
