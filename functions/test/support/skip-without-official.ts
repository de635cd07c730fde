import { beforeEach, inject } from 'vitest';

// A suite that ran on the local server instead would agree with itself.
const missing = inject('officialFirestoreMissing');
beforeEach(({ skip }) => skip(missing !== '', missing));
