import type { Firestore } from 'firebase-admin/firestore';

/** A client whose next batch waits, before it is committed, until something else has happened. */
export const holdCommits = (db: Firestore) => {
  let hook: (() => Promise<void>) | null = null;
  const batch = () => {
    const made = db.batch();
    const commit = made.commit.bind(made);
    made.commit = async () => {
      const now = hook;
      hook = null;
      await now?.();
      return commit();
    };
    return made;
  };
  return {
    db: new Proxy(db, {
      get: (target, key) => {
        if (key === 'batch') return batch;
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }),
    beforeNextCommit: (happening: () => Promise<void>): void => {
      hook = happening;
    },
  };
};
