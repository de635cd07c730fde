import { useState } from 'preact/hooks';

export interface Action {
  readonly isWorking: boolean;
  readonly failure: unknown;
  readonly isDone: boolean;
  run(work: () => Promise<void>): Promise<void>;
}

/** Something that is done on request, once at a time. */
export const useAction = (): Action => {
  const [state, setState] = useState({ isWorking: false, failure: null as unknown, isDone: false });
  return {
    ...state,
    run: async (work) => {
      if (state.isWorking) return;
      setState({ isWorking: true, failure: null, isDone: false });
      try {
        await work();
        setState({ isWorking: false, failure: null, isDone: true });
      } catch (failure) {
        setState({ isWorking: false, failure, isDone: false });
      }
    },
  };
};
