/** A field's value for the eye: text as it is, everything else as JSON. */
export const toText = (value: unknown): string => {
  if (value === null || value === undefined || value === '') return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** What was typed as another value: JSON where the values in dispute are not text, such as a consent. */
export const parseTyped = (typed: string, like: readonly unknown[]): unknown =>
  like.some((value) => typeof value === 'string') ? typed : JSON.parse(typed);
