/** Failures to come, for tests that prove what survives them; each strikes the next `times` calls that it is meant for. */
export const makeFaultPlan = <Fault extends { readonly times?: number }>() => {
  const armed = new Map<Fault, { struck: number }>();
  return {
    /** `struck` says how many calls it met so far. */
    arm: (fault: Fault) => {
      const own = { ...fault };
      const state = { struck: 0 };
      armed.set(own, state);
      return { struck: () => state.struck, disarm: (): void => void armed.delete(own) };
    },
    /** Uses up one time of the first fault that is meant for this call. */
    meet: (isMeant: (fault: Fault) => boolean): Fault | undefined => {
      for (const [fault, state] of armed) {
        if (!isMeant(fault)) continue;
        state.struck += 1;
        if (state.struck >= (fault.times ?? 1)) armed.delete(fault);
        return fault;
      }
      return undefined;
    },
    clear: (): void => armed.clear(),
  };
};
