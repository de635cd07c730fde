/** Runs `work` over the inputs, at most so many at once, and answers in their order. The first failure is thrown. */
export const inParallel = async <In, Out>(
  inputs: readonly In[],
  limit: number,
  work: (input: In) => Promise<Out>,
): Promise<Out[]> => {
  const outputs: Out[] = [];
  const entries = inputs.entries();
  const worker = async (): Promise<void> => {
    for (const [n, input] of entries) outputs[n] = await work(input);
  };
  await Promise.all(Array.from({ length: Math.min(limit, inputs.length) }, worker));
  return outputs;
};

export const chunksOf = <T>(values: readonly T[], size: number): T[][] => {
  const chunks: T[][] = [];
  for (let from = 0; from < values.length; from += size) chunks.push(values.slice(from, from + size));
  return chunks;
};
