/**
 * Whether the registry has the companion app, as far as its answers have shown. Only with it does the registry compare
 * the expected value and remember change ids; until that is known, and where it is not so, every member is read before
 * a change is sent.
 */
export interface Companion {
  readonly isKnown: () => boolean;
  /** An answer with a version comes from the companion app, a success without one does not. */
  readonly learn: (isInstalled: boolean) => void;
}

export const makeCompanion = (): Companion => {
  let known = false;
  return {
    isKnown: () => known,
    learn: (isInstalled) => {
      known = isInstalled;
    },
  };
};
