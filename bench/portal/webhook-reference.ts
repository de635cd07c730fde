import { initializeApp } from 'firebase-admin/app';
import { getFirestore } from 'firebase-admin/firestore';
import { onRequest } from 'firebase-functions/https';

/**
 * The reference handler: parse, compare a bearer, `set`. It believes whoever has the key, writes whatever comes last,
 * and loses what comes out of order; it is the least that any webhook of this kind must do.
 */
export const syncFromDjango = onRequest({ region: 'europe-west2' }, async (request, response) => {
  if (request.get('authorization') !== `Bearer ${process.env['SYNC_API_KEY']}`) {
    response.status(401).json({ error: 'unauthorized' });
    return;
  }
  const { kennitala, data } = JSON.parse(String(request.rawBody)) as { kennitala: string; data: object };
  await getFirestore().collection('members').doc(kennitala).set({ profile: data, synced_at: new Date() });
  response.json({ success: true });
});

initializeApp();
