import type { DeployContext } from '../context.ts';
import type { Step } from '../run-steps.ts';

/** Settings that say where the database is. */
const PLACE = /^(CLOUD_SQL_INSTANCE|CLOUD_SQL_IP_TYPE|DATABASE_NAME|DATABASE_URL)$/;

/** Before the functions, which refuse to work on an older schema. A migration never takes away what the old ones use. */
export const migrations = (context: DeployContext): Step => ({
  name: 'migrations',
  remedy:
    'The functions are as before and work with either schema. A migration is all or nothing: see docs/deploy.md.',
  run: async () => {
    const { hasRegister, values } = await context.settings();
    if (!hasRegister) return { state: 'skipped', notes: ['this project keeps no register'] };
    const { databaseOwner } = context.options;
    // The functions' own user, which the settings name, may not change the schema.
    if (databaseOwner === null && values['CLOUD_SQL_INSTANCE']) {
      throw new Error('Who owns the schema? Give --database-owner or DATABASE_USER.');
    }
    await context.shell.change('npm', ['run', 'migrate', '--silent'], {
      ...Object.fromEntries(Object.entries(values).filter(([name]) => PLACE.test(name))),
      ...(databaseOwner !== null && { DATABASE_USER: databaseOwner }),
    });
    return { state: 'done' };
  },
});
