import { z } from 'zod';

/** The largest id of the companion app's outbox, a PostgreSQL `integer`: no change of a member can have a later one. */
export const MAX_VERSION = 2 ** 31 - 1;

/**
 * A member's version, wherever the registry says one. A larger number is refused and not held: nothing that the
 * registry could say afterwards would be newer, and the member would stay as they are for good.
 */
export const memberVersion = z.int().nonnegative().max(MAX_VERSION);
