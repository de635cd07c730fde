import { createContext, useContext } from 'react';
import type { Api } from './api.ts';

/** Who has signed in, and the API as they may use it. */
export interface Operator {
  readonly api: Api;
  readonly name: string;
  readonly projectId: string;
  /** True on the local stack, whose logs are in its terminal. */
  readonly isLocal: boolean;
}

export const OperatorContext = createContext<Operator | null>(null);

export const useOperator = (): Operator => {
  const operator = useContext(OperatorContext);
  if (operator === null) throw new Error('useOperator before sign-in');
  return operator;
};
