/**
 * Whether a document's path matches an Eventarc path pattern: `{name}` and `*` stand for one segment or a part of one,
 * `{name=**}` and `**` for any number of segments, none included.
 * @see https://cloud.google.com/eventarc/docs/path-patterns
 */
export function matchesDocumentPattern(pattern: string, path: string): boolean {
  const expression = segmentsOf(pattern)
    .map((segment) => {
      const text = withoutCapture(segment);
      if (text.includes('**')) return '(?:/[^/]+)*';
      return `/${text
        .split('*')
        .map(escapeForRegExp)
        .join(text === '*' ? '[^/]+' : '[^/]*')}`;
    })
    .join('');
  return new RegExp(`^${expression}$`).test(`/${segmentsOf(path).join('/')}`);
}

/** `{name}` captures one whole segment, `{name=pattern}` what its pattern matches. */
function withoutCapture(segment: string): string {
  const capture = /^\{[^={}]+(?:=(?<pattern>[^{}]+))?\}$/.exec(segment);
  return capture === null ? segment : (capture.groups?.['pattern'] ?? '*');
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
