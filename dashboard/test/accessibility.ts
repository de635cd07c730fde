import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** The rules of axe that a page breaks, each with where: every rule for WCAG 2.2 A and AA, and the best practices. */
export const violationsOf = async (page: Page): Promise<string[]> => {
  // The protocol of the browser's tools puts it in, so the page's Content-Security-Policy stays as strict as it is.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    // Around an open menu or list Base UI lays elements that take the focus only to pass it on, hidden from readers: what
    // axe calls aria-hidden-focus is how they work. Everything else in the same popup is judged.
    const found = await (globalThis as unknown as { axe: typeof axe }).axe.run({
      exclude: ['[data-base-ui-focus-guard]'],
    });
    // Menus and lists stand at the end of the document, outside its landmarks; their button names them and takes one there.
    const isInPopup = ([target]: readonly unknown[]): boolean =>
      typeof target === 'string' &&
      document.querySelector(target)?.closest('[role=menu], [role=listbox]') != null;
    return found.violations.flatMap(({ id, nodes }) => {
      const broken = nodes
        .filter(({ target }) => id !== 'region' || !isInPopup(target))
        .map(({ html }) => html);
      return broken.length === 0 ? [] : [`${id}: ${broken.join(' ')}`];
    });
  });
};
