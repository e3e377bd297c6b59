/** Whether the login has the right of operators (`admin`): found out by a call that needs it and changes nothing. */
import { admin } from '../calls/server.ts';
import { type Loaded, useLoaded } from './loaded.ts';

/** Its value is there when it has; its failure is `PERMISSION_DENIED` when it does not. */
export function useOperator(): Loaded<true> {
  return useLoaded('operator', async (signal) => {
    await admin.activity({}, { signal });
    return true as const;
  });
}
