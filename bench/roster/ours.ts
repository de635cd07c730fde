/** The built module is no part of the type check: it may not be there yet. */
const BUILT = new URL('../../functions/lib/index.js', import.meta.url).href;

interface Deployed {
  readonly syncMemberList: { run(event: { jobName: string; scheduleTime: string }): Promise<void> };
}
const { syncMemberList } = (await import(BUILT)) as Deployed;

/** The deployed function itself, as Cloud Scheduler starts it; each run is an occurrence of its own. */
export default (): Promise<void> =>
  syncMemberList.run({ jobName: 'bench', scheduleTime: new Date().toISOString() });
