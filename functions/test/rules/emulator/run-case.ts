import { PEOPLE } from '../cases/people.ts';
import { REMOVE, type RulesCase } from '../cases/rules-case.ts';
import type { Sdk, TestContext, TestEnvironment } from './sdk.ts';

/**
 * Puts one case to the official emulator: stores `before` past the rules, then makes the call as the person.
 *
 * @throws when the rules decide otherwise than the case expects, and when the call fails for another reason.
 */
export async function runCase(sdk: Sdk, environment: TestEnvironment, row: RulesCase): Promise<void> {
  await (row.service === 'firestore' ? environment.clearFirestore() : environment.clearStorage());
  const { before } = row;
  if (before) {
    const path = row.operation === 'list' && row.service === 'firestore' ? `${row.path}/stored` : row.path;
    await environment.withSecurityRulesDisabled(async (context) => {
      if (row.service === 'firestore') {
        await sdk.firestore.setDoc(sdk.firestore.doc(context.firestore(), path), before);
      } else {
        await sdk.storage.uploadString(sdk.storage.ref(context.storage(), path), 'stored');
      }
    });
  }
  const person = PEOPLE[row.who];
  const context = person
    ? environment.authenticatedContext(person.uid, person.claims)
    : environment.unauthenticatedContext();
  const answer =
    row.service === 'firestore' ? callFirestore(sdk, context, row) : callStorage(sdk, context, row);
  await (row.expect === 'allow' ? sdk.testing.assertSucceeds(answer) : sdk.testing.assertFails(answer));
}

function callFirestore({ firestore: sdk }: Sdk, context: TestContext, row: RulesCase): Promise<unknown> {
  const firestore = context.firestore();
  if (row.operation === 'list') return sdk.getDocs(sdk.collection(firestore, row.path));
  const reference = sdk.doc(firestore, row.path);
  if (row.operation === 'get') return sdk.getDoc(reference);
  if (row.operation === 'delete') return sdk.deleteDoc(reference);
  const { change } = row;
  if (!change) throw new Error('a write without a change');
  if ('set' in change) return sdk.setDoc(reference, change.set);
  const fields = Object.entries(change.update).map(([path, value]) => [
    path,
    value === REMOVE ? sdk.deleteField() : value,
  ]);
  return sdk.updateDoc(reference, Object.fromEntries(fields));
}

async function callStorage({ storage: sdk }: Sdk, context: TestContext, row: RulesCase): Promise<unknown> {
  const reference = sdk.ref(context.storage(), row.path);
  switch (row.operation) {
    case 'get':
      return sdk.getMetadata(reference);
    case 'list':
      return sdk.listAll(reference);
    case 'create':
      return sdk.uploadString(reference, 'new');
    case 'update':
      return sdk.updateMetadata(reference, { customMetadata: { changed: 'yes' } });
    case 'delete':
      return sdk.deleteObject(reference);
    default: {
      const never: never = row.operation;
      throw new Error(`unknown operation ${String(never)}`);
    }
  }
}
